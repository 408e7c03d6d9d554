import type { Finding } from "../api/types";
import { t } from "../strings";
import { FactTable } from "./fact_table";

const TONES = { ok: "good", warning: "warn", error: "bad" };

/** What was found wrong or missing, with advice. */
export function Findings({ id, title, findings, empty }: { id: string; title: string; findings: Finding[]; empty: string }) {
  const columns = t.target.findingColumns;
  return (
    <FactTable
      id={id}
      title={title}
      columns={columns}
      rows={findings.map((finding) => (
        <tr key={`${finding.check} ${finding.message}`}>
          <th scope="row">{finding.check}</th>
          <td data-label={columns.level}>
            <span class={`tag tag-${TONES[finding.level]}`}>{finding.level}</span>
          </td>
          <td data-label={columns.message} class="message">
            {finding.message}
          </td>
          <td data-label={columns.advice} class="message">
            {finding.advice || t.common.none}
          </td>
        </tr>
      ))}
      empty={empty}
    />
  );
}
