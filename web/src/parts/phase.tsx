import { phaseName } from "./announcer";

const TONES: Record<string, string> = {
  Running: "good",
  Pending: "busy",
  Starting: "busy",
  Terminating: "busy",
  Failed: "bad",
  Unknown: "warn",
  Recording: "busy",
  Interrupted: "warn",
  Ready: "good",
  NotReady: "bad",
};

export function Phase({ phase, testid }: { phase: string; testid?: string }) {
  return (
    <span class={`phase phase-${TONES[phase] ?? "idle"}`} data-testid={testid} data-phase={phase}>
      <span class="dot" aria-hidden="true" />
      {phaseName(phase)}
    </span>
  );
}
