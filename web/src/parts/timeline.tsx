import type { Agent, Cause } from "../api/types";
import { useTimeline } from "../state/timeline";
import { t } from "../strings";
import { Age } from "./age";

/** What happened to an agent and what caused it, the newest first. */
export function Timeline({ agent }: { agent: Agent }) {
  const causes = useTimeline(agent);
  const columns = t.agent.timelineColumns;
  return (
    <section class="card table-card" aria-labelledby="timeline" data-testid="timeline">
      <h2 id="timeline">{t.agent.timeline}</h2>
      {!causes || causes.length === 0 ? (
        <p class="quiet inset">{causes ? t.agent.noTimeline : t.common.loading}</p>
      ) : (
        <table class="stacking">
          <thead>
            <tr>
              {Object.values(columns).map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {causes.map((cause) => (
              <Row key={cause.seq} cause={cause} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Row({ cause }: { cause: Cause }) {
  const columns = t.agent.timelineColumns;
  return (
    <tr data-testid={`cause-${cause.seq}`} data-kind={cause.kind}>
      <th scope="row">{cause.seq}</th>
      <td data-label={columns.when}>
        <Age since={cause.lastAt} />
        {cause.count > 1 && ` ${t.agent.times(cause.count)}`}
      </td>
      <td data-label={columns.who}>{cause.actor}</td>
      <td data-label={columns.what} class="message">
        {cause.text}
      </td>
      <td data-label={columns.because}>{cause.because ?? t.common.none}</td>
    </tr>
  );
}
