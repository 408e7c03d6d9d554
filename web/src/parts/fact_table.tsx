import type { ComponentChildren } from "preact";
import { t } from "../strings";

interface Props {
  /** What the heading is called in the page. */
  id: string;
  title: string;
  columns: Record<string, string>;
  /** A row for each fact; none while they are loaded. */
  rows: ComponentChildren[] | undefined;
  /** What is said when there is no fact. */
  empty: string;
}

/** A card with facts about a thing, one a row; on a narrow screen each is a block of its own. */
export function FactTable({ id, title, columns, rows, empty }: Props) {
  return (
    <section class="card table-card" aria-labelledby={id} data-testid={id}>
      <h2 id={id}>{title}</h2>
      {!rows || rows.length === 0 ? (
        <p class="quiet inset">{rows ? empty : t.common.loading}</p>
      ) : (
        <table class="stacking">
          <thead>
            <tr>
              {Object.values(columns).map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{rows}</tbody>
        </table>
      )}
    </section>
  );
}
