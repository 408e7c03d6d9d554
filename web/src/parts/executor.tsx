import type { Agent } from "../api/types";
import { t } from "../strings";

export function NotSandbox() {
  return (
    <span class="tag tag-warn" title={t.isolation.explain} data-testid="not-a-sandbox">
      {t.isolation.no}
    </span>
  );
}

/** The target that every executor has by itself, which is not worth a word. */
const DEFAULT_TARGET = "default";

/** An agent's executor and target, with the label that a body without isolation carries wherever it is shown. */
export function ExecutorName({ agent }: { agent: Agent }) {
  const wanted = agent.spec.executor;
  const name = agent.status.executor || (typeof wanted === "string" ? wanted : wanted?.name) || t.common.none;
  const target = agent.status.target ?? DEFAULT_TARGET;
  return (
    <span class="executor">
      {target === DEFAULT_TARGET ? name : `${name} / ${target}`} {agent.status.isolated === false && <NotSandbox />}
    </span>
  );
}
