import type { Agent } from "../api/types";
import { t } from "../strings";

export function NotSandbox() {
  return (
    <span class="tag tag-warn" title={t.isolation.explain} data-testid="not-a-sandbox">
      {t.isolation.no}
    </span>
  );
}

/** An agent's executor, with the label that a body without isolation carries wherever it is shown. */
export function ExecutorName({ agent }: { agent: Agent }) {
  const wanted = agent.spec.executor;
  const name = agent.status.executor || (typeof wanted === "string" ? wanted : wanted?.name) || t.common.none;
  return (
    <span class="executor">
      {name} {agent.status.isolated === false && <NotSandbox />}
    </span>
  );
}
