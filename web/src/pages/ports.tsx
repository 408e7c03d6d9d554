import { linkToPort } from "../api/resources";
import type { Agent, Port } from "../api/types";
import { FactTable } from "../parts/fact_table";
import { ProblemBanner } from "../parts/problem";
import { useAction } from "../state/action";
import { t } from "../strings";

/** The ports that an agent declares, each with a way to open it; nothing for an agent without. */
export function AgentPorts({ agent }: { agent: Agent }) {
  const ports = agent.spec.ports ?? [];
  const action = useAction();
  if (ports.length === 0) return null;
  const open = (port: Port): void => {
    const tab = window.open("about:blank", "_blank"); // now: a tab that opens later than the click is blocked
    void action.run(async () => show(tab, await linkToPort(agent.metadata.name, port.port))).then((shown) => shown || tab?.close());
  };
  const disabled = agent.status.phase !== "Running" || action.busy;
  return (
    <FactTable
      id="ports"
      title={t.agent.ports}
      columns={t.agent.portColumns}
      rows={ports.map((port) => (
        <Row key={port.port} port={port} disabled={disabled} onOpen={() => open(port)} />
      ))}
      empty=""
      notice={<ProblemBanner problem={action.problem} onClose={action.clear} />}
    />
  );
}

function Row({ port, disabled, onOpen }: { port: Port; disabled: boolean; onOpen: () => void }) {
  return (
    <tr>
      <th scope="row">{port.name}</th>
      <td data-label={t.agent.portColumns.port}>
        <code>{port.port}</code>
      </td>
      <td class="row-actions">
        <button class="button button-small" data-testid={`open-port-${port.name}`} disabled={disabled} onClick={onOpen} aria-label={`${t.agent.openPort}: ${port.name}`}>
          {t.agent.openPort}
        </button>
      </td>
    </tr>
  );
}

/** In the tab, which must not reach back to us; here, where no tab could be opened. */
function show(tab: Window | null, url: string): void {
  if (!tab) {
    location.assign(url);
    return;
  }
  tab.opener = null;
  tab.location.replace(url);
}
