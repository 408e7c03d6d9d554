import type { Exit } from "../api/types";
import { exitText } from "../parts/exit";
import { Prompt } from "../parts/icons";
import { ProblemBanner } from "../parts/problem";
import { enterTerminal } from "../pages/enter";
import { useAction } from "../state/action";
import { links } from "../state/route";
import { t } from "../strings";

interface Given {
  exit: Exit | null;
  agent: string | null;
  command: string[] | undefined;
}

/** Below the last screen of a program that ended: how it ended, and where to go from here. */
export function ExitPanel({ exit, agent, command }: Given) {
  const action = useAction();
  const good = exit?.code === 0;
  return (
    <div class={good ? "exit-panel" : "exit-panel exit-bad"} role="status">
      <span data-testid="exit-status" data-code={exit?.code ?? ""} data-signal={exit?.signal ?? ""}>
        {exit ? exitText(exit) : t.terminal.exitUnknown}
      </span>
      <span class="grow" />
      <ProblemBanner problem={action.problem} onClose={action.clear} />
      {agent && (
        <>
          <a class="button" href={links.agent(agent)}>
            {t.terminal.toAgent(agent)}
          </a>
          <button
            class="button button-primary"
            data-testid="open-terminal"
            disabled={action.busy}
            onClick={() => void action.run(() => enterTerminal(agent, command))}
          >
            <Prompt /> {t.terminal.openAnother}
          </button>
        </>
      )}
    </div>
  );
}

export function GonePanel({ agent }: { agent: string | null }) {
  return (
    <div class="empty card" role="alert" data-testid="terminal-gone">
      <h1>{t.terminal.goneTitle}</h1>
      <p>{t.terminal.goneLead}</p>
      <a class="button" href={agent ? links.agent(agent) : links.agents}>
        {agent ? t.terminal.toAgent(agent) : t.agent.back}
      </a>
    </div>
  );
}
