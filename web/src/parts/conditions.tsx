import type { Condition } from "../api/types";
import { t } from "../strings";
import { Age } from "./age";
import { FactTable } from "./fact_table";

const TONES = { True: "good", False: "bad", Unknown: "warn" };

/** What was observed of a thing, one fact a row. */
export function Conditions({ conditions }: { conditions: Condition[] }) {
  return (
    <FactTable
      id="conditions"
      title={t.agent.conditions}
      columns={t.agent.conditionColumns}
      rows={conditions.map((condition) => (
        <Row key={condition.type} condition={condition} />
      ))}
      empty={t.agent.noConditions}
    />
  );
}

function Row({ condition }: { condition: Condition }) {
  const columns = t.agent.conditionColumns;
  return (
    <tr data-testid={`condition-${condition.type}`}>
      <th scope="row">{condition.type}</th>
      <td data-label={columns.status}>
        <span class={`tag tag-${TONES[condition.status]}`}>{condition.status}</span>
      </td>
      <td data-label={columns.reason}>{condition.reason || t.common.none}</td>
      <td data-label={columns.message} class="message">
        {condition.message || t.common.none}
      </td>
      <td data-label={columns.since}>
        <Age since={condition.lastTransitionTime} />
      </td>
    </tr>
  );
}
