const FIRST_MS = 250;
const LAST_MS = 5_000;

/**
 * The wait before attempt `attempt` (from 0): from 0.25 s to 5 s, the upper half of it random. It grows slowly, so that who
 * was away for some seconds is found again within about a third of that time.
 */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LAST_MS, FIRST_MS * 1.5 ** Math.min(attempt, 20));
  return full / 2 + (full / 2) * random();
}
