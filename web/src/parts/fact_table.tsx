import type { ComponentChildren } from "preact";
import { t } from "../strings";

interface Props {
  /** What the heading is called in the page. */
  id: string;
  title: string;
  /** Headings by column; that of the column `actions` is for screen readers alone. */
  columns: Record<string, string>;
  /** A row for each fact; none while they are loaded. */
  rows: ComponentChildren[] | undefined;
  /** What is said when there is no fact. */
  empty: string;
  /** What stands beside the heading. */
  aside?: ComponentChildren;
  /** What stands between the heading and the facts. */
  notice?: ComponentChildren;
}

/** A card with facts about a thing, one a row; on a narrow screen each is a block of its own. */
export function FactTable({ id, title, columns, rows, empty, aside, notice }: Props) {
  return (
    <section class="card table-card" aria-labelledby={id} data-testid={id}>
      <div class="section-head">
        <h2 id={id}>{title}</h2>
        <span class="grow" />
        {aside}
      </div>
      {notice}
      {!rows || rows.length === 0 ? (
        <p class="quiet inset">{rows ? empty : t.common.loading}</p>
      ) : (
        <table class="stacking">
          <Headings columns={columns} />
          <tbody>{rows}</tbody>
        </table>
      )}
    </section>
  );
}

function Headings({ columns }: Pick<Props, "columns">) {
  return (
    <thead>
      <tr>
        {Object.entries(columns).map(([name, title]) => (
          <th key={name} scope="col">
            {name === "actions" ? <span class="hidden">{title}</span> : title}
          </th>
        ))}
      </tr>
    </thead>
  );
}
