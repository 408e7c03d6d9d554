import type { Target } from "../api/types";
import { t } from "../strings";
import { Age } from "./age";
import { Fact } from "./fact";

/** The facts of a target, as a list of terms: what the API tells of it, without what it does not tell. */
export function TargetOverview({ target: { metadata, spec, status } }: { target: Target }) {
  const facts = t.target.facts;
  const settings = Object.entries(spec.settings ?? {});
  const limits = Object.entries(status.limits ?? {});
  return (
    <section class="card" aria-labelledby="overview" data-testid="target-overview">
      <h2 id="overview">{t.agent.overview}</h2>
      <dl class="facts">
        <Fact name={facts.executor}>{spec.executor}</Fact>
        <Fact name={facts.newAgents}>{spec.schedulable === false ? t.targets.closed : t.targets.open}</Fact>
        {status.isolated !== undefined && <Fact name={facts.isolation}>{status.isolated ? t.target.isolated : t.isolation.no}</Fact>}
        {status.place && (
          <Fact name={facts.place}>
            <code>{status.place}</code>
          </Fact>
        )}
        {status.capabilities && status.capabilities.length > 0 && <Fact name={facts.capabilities}>{status.capabilities.join(", ")}</Fact>}
        {limits.map(([name, what]) => (
          <Fact key={name} name={facts.limit(name)}>
            {what}
          </Fact>
        ))}
        {settings.map(([name, value]) => (
          <Fact key={name} name={facts.setting(name)}>
            <code>{typeof value === "string" ? value : JSON.stringify(value)}</code>
          </Fact>
        ))}
        {status.sealed && status.sealed.length > 0 && <Fact name={facts.sealed}>{status.sealed.join(", ")}</Fact>}
        <Fact name={facts.created}>
          <Age since={metadata.creationTimestamp} />
        </Fact>
      </dl>
    </section>
  );
}
