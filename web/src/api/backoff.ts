const FIRST_MS = 250;
const LAST_MS = 5_000;

/** The wait before attempt `attempt` (from 0): doubling from 0.25 s to 5 s, the upper half of it random. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return full / 2 + (full / 2) * random();
}
