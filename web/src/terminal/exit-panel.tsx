import { useEffect, useState } from "preact/hooks";
import { listRecordings } from "../api/resources";
import type { Exit, Session } from "../api/types";
import { exitText } from "../parts/exit";
import { Play, Prompt } from "../parts/icons";
import { ProblemBanner } from "../parts/problem";
import { enterTerminal } from "../pages/enter";
import { useAction } from "../state/action";
import { links } from "../state/route";
import { t } from "../strings";

interface Given {
  exit: Exit | null;
  agent: string | null;
  session: Session | undefined;
}

/** Below the last screen of a program that ended: how it ended, and where to go from here. */
export function ExitPanel({ exit, agent, session }: Given) {
  const action = useAction();
  const recording = useRecordingOf(session);
  const good = exit?.code === 0;
  return (
    <div class={good ? "exit-panel" : "exit-panel exit-bad"} role="status">
      <span data-testid="exit-status" data-code={exit?.code ?? ""} data-signal={exit?.signal ?? ""}>
        {exit ? exitText(exit) : t.terminal.exitUnknown}
      </span>
      <span class="grow" />
      <ProblemBanner problem={action.problem} onClose={action.clear} />
      {recording && (
        <a class="button" href={links.recording(recording)} data-testid="replay">
          <Play /> {t.player.replay}
        </a>
      )}
      {agent && (
        <>
          <a class="button" href={links.agent(agent)}>
            {t.terminal.toAgent(agent)}
          </a>
          <button
            class="button button-primary"
            data-testid="open-terminal"
            disabled={action.busy}
            onClick={() => void action.run(() => enterTerminal(agent, session?.spec.command))}
          >
            <Prompt /> {t.terminal.openAnother}
          </button>
        </>
      )}
    </div>
  );
}

/** The name of a session's recording, if it has one. */
function useRecordingOf(session: Session | undefined): string | null {
  const [name, setName] = useState<string | null>(null);
  const uid = session?.spec.recording ? session.metadata.uid : undefined;
  useEffect(() => {
    if (!uid) return;
    listRecordings(`spec.sessionUid=${uid}`).then(
      ({ items }) => setName(items[0]?.metadata.name ?? null),
      () => undefined, // who may not see recordings is offered none
    );
  }, [uid]);
  return name;
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
