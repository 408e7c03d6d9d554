import { useState } from "preact/hooks";
import { endSession } from "../api/resources";
import type { Agent, Session } from "../api/types";
import { Age } from "../parts/age";
import { Confirm } from "../parts/dialog";
import { exitText } from "../parts/exit";
import { FactTable } from "../parts/fact_table";
import { Phase } from "../parts/phase";
import { ProblemBanner } from "../parts/problem";
import { useAction } from "../state/action";
import { useSessions } from "../state/live";
import { links } from "../state/route";
import { t } from "../strings";

/** An agent's terminals: go back into one, end one, run another command in a new one. */
export function AgentSessions({ agent }: { agent: Agent }) {
  const name = agent.metadata.name;
  const sessions = useSessions(name);
  const [asked, setAsked] = useState<string | null>(null);
  const action = useAction();
  const end = async (session: string): Promise<void> => {
    setAsked(null);
    await action.run(async () => void (await endSession(session)));
  };
  const leave = (session: Session): void => {
    if (session.status.phase === "Ended") void end(session.metadata.name);
    else setAsked(session.metadata.name);
  };
  return (
    <>
      <FactTable
        id="sessions"
        title={t.agent.sessions}
        columns={t.agent.sessionColumns}
        rows={sessions.map((session) => (
          <Row key={session.metadata.uid ?? session.metadata.name} session={session} onEnd={() => leave(session)} />
        ))}
        empty={t.agent.noSessions}
        aside={
          <a class="button button-small" href={links.terminal(name)} data-testid="run-command">
            {t.agent.openWith}
          </a>
        }
        notice={<ProblemBanner problem={action.problem} onClose={action.clear} />}
      />
      {asked && (
        <Confirm
          title={t.agent.confirm.endTitle(asked)}
          text={t.agent.confirm.endText}
          action={t.agent.end}
          busy={action.busy}
          onYes={() => void end(asked)}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}

function Row({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const { metadata, spec, status } = session;
  const columns = t.agent.sessionColumns;
  return (
    <tr data-testid={`session-row-${metadata.name}`}>
      <th scope="row">
        <a href={links.session(metadata.name)}>{metadata.name}</a>
      </th>
      <td data-label={columns.command} class="path">
        {spec.command ? <code>{spec.command.join(" ")}</code> : <span class="quiet">{t.agent.defaultCommand}</span>}
      </td>
      <td data-label={columns.phase}>
        <Phase phase={status.phase} testid="session-phase" />
        {status.exit && <span class="reason">{exitText(status.exit)}</span>}
      </td>
      <td data-label={columns.age}>
        <Age since={metadata.creationTimestamp} />
      </td>
      <td class="row-actions">
        <a class="button button-small" href={links.session(metadata.name)} aria-label={`${t.agent.attach}: ${metadata.name}`}>
          {t.agent.attach}
        </a>
        <button class="button button-small" data-testid="end-session" onClick={onEnd} aria-label={`${t.agent.end}: ${metadata.name}`}>
          {status.phase === "Ended" ? t.agent.remove : t.agent.end}
        </button>
      </td>
    </tr>
  );
}
