import type { Agent } from "../api/types";
import { t } from "../strings";
import { Age } from "./age";
import { ExecutorName } from "./executor";
import { exitText } from "./exit";
import { Fact } from "./fact";

/** The facts of an agent, as a list of terms. */
export function Overview({ agent }: { agent: Agent }) {
  const { spec, status, metadata } = agent;
  const facts = t.agent.facts;
  return (
    <section class="card" aria-labelledby="overview">
      <h2 id="overview">{t.agent.overview}</h2>
      <dl class="facts">
        <Fact name={facts.runtime}>{spec.runtime}</Fact>
        <Fact name={facts.executor}>
          <ExecutorName agent={agent} />
        </Fact>
        <Fact name={facts.folder}>{spec.workspace?.folder ? <code>{spec.workspace.folder}</code> : t.agents.ownFolder}</Fact>
        <Fact name={facts.created}>
          <Age since={metadata.creationTimestamp} />
        </Fact>
        {status.runningAt && (
          <Fact name={facts.running}>
            <Age since={status.runningAt} />
          </Fact>
        )}
        {spec.lifetime && <Fact name={facts.lifetime}>{spec.lifetime}</Fact>}
        {spec.restart && <Fact name={facts.restart}>{spec.restart}</Fact>}
        {Boolean(status.restarts) && <Fact name={facts.restarts}>{status.restarts}</Fact>}
        {Object.entries(status.details ?? {}).map(([name, value]) => (
          <Fact key={name} name={t.agent.detail(name)}>
            <code>{value}</code>
          </Fact>
        ))}
        {status.exit && <Fact name={facts.exit}>{exitText(status.exit)}</Fact>}
        {status.nextAttempt && <Fact name={facts.next}>{new Date(status.nextAttempt).toLocaleTimeString()}</Fact>}
        {metadata.owner && <Fact name={facts.owner}>{metadata.owner}</Fact>}
      </dl>
    </section>
  );
}
