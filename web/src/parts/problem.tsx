import type { Problem } from "../api/problem";
import { Banner } from "./banner";

/** What went wrong, and what to do about it. */
export function ProblemBanner({ problem, onClose }: { problem: Problem | null; onClose?: () => void }) {
  if (!problem) return null;
  return (
    <Banner tone="bad" testid="problem" onClose={onClose}>
      <strong>{problem.message}</strong>
      {problem.hint && <span class="hint">{problem.hint}</span>}
    </Banner>
  );
}
