import type { Condition } from "../api/types";
import { t } from "../strings";
import { Age } from "./age";

const TONES = { True: "good", False: "bad", Unknown: "warn" };

/** What was observed of a thing, one fact a row. */
export function Conditions({ conditions }: { conditions: Condition[] }) {
  const columns = t.agent.conditionColumns;
  return (
    <section class="card table-card" aria-labelledby="conditions">
      <h2 id="conditions">{t.agent.conditions}</h2>
      {conditions.length === 0 ? (
        <p class="quiet inset">{t.agent.noConditions}</p>
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
            {conditions.map((condition) => (
              <Row key={condition.type} condition={condition} />
            ))}
          </tbody>
        </table>
      )}
    </section>
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
