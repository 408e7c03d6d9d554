import type { Agent, Cause } from "../api/types";
import { useTimeline } from "../state/timeline";
import { t } from "../strings";
import { Age } from "./age";
import { FactTable } from "./fact_table";

/** What happened to an agent and what caused it, the newest first. */
export function Timeline({ agent }: { agent: Agent }) {
  return (
    <FactTable
      id="timeline"
      title={t.agent.timeline}
      columns={t.agent.timelineColumns}
      rows={useTimeline(agent)?.map((cause) => (
        <Row key={cause.seq} cause={cause} />
      ))}
      empty={t.agent.noTimeline}
    />
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
