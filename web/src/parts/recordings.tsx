import { useState } from "preact/hooks";
import { deleteRecording } from "../api/resources";
import type { Recording } from "../api/types";
import { useAction } from "../state/action";
import { useAgent } from "../state/live";
import type { Recordings } from "../state/recordings";
import { links } from "../state/route";
import { t } from "../strings";
import { Age } from "./age";
import { clockText } from "./clock";
import { Confirm } from "./dialog";
import { Phase } from "./phase";
import { ProblemBanner } from "./problem";
import { sizeText } from "./size";

const MOST_ROWS = 200;

/** Recordings in a table: play one, delete one. `agents` tells of whose terminal each is. */
export function RecordingTable({ items, reload, agents }: Pick<Recordings, "items" | "reload"> & { agents: boolean }) {
  const [asked, setAsked] = useState<string | null>(null);
  const action = useAction();
  const remove = async (name: string): Promise<void> => {
    setAsked(null);
    await action.run(async () => void (await deleteRecording(name)));
    reload();
  };
  return (
    <>
      <ProblemBanner problem={action.problem} onClose={action.clear} />
      <table class="stacking">
        <Head agents={agents} />
        <tbody>
          {items.slice(0, MOST_ROWS).map((each) => (
            <Row key={each.metadata.uid ?? each.metadata.name} recording={each} agents={agents} onDelete={() => setAsked(each.metadata.name)} />
          ))}
        </tbody>
      </table>
      {asked && (
        <Confirm
          title={t.recordings.deleteTitle(asked)}
          text={t.recordings.deleteText}
          action={t.recordings.delete}
          busy={action.busy}
          onYes={() => void remove(asked)}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}

function Head({ agents }: { agents: boolean }) {
  const { name, agent, command, phase, length, size, age, actions } = t.recordings.columns;
  return (
    <thead>
      <tr>
        {[name, ...(agents ? [agent] : []), command, phase, length, size, age].map((title) => (
          <th key={title} scope="col">
            {title}
          </th>
        ))}
        <th scope="col">
          <span class="hidden">{actions}</span>
        </th>
      </tr>
    </thead>
  );
}

interface RowGiven {
  recording: Recording;
  agents: boolean;
  onDelete: () => void;
}

function Row({ recording, agents, onDelete }: RowGiven) {
  const { metadata, spec, status } = recording;
  const { name } = metadata;
  const columns = t.recordings.columns;
  return (
    <tr data-testid={`recording-row-${name}`}>
      <th scope="row">
        <a href={links.recording(name)}>{name}</a>
      </th>
      {agents && (
        <td data-label={columns.agent}>
          <AgentName name={spec.agent} uid={spec.agentUid} />
        </td>
      )}
      <td data-label={columns.command} class="path">
        {spec.command ? <code>{spec.command.join(" ")}</code> : <span class="quiet">{t.agent.defaultCommand}</span>}
      </td>
      <td data-label={columns.phase}>
        <Phase phase={status.phase} testid="recording-phase" />
      </td>
      <td data-label={columns.length} class="number">
        {status.duration === undefined ? t.common.none : clockText(status.duration)}
      </td>
      <td data-label={columns.size} class="number">
        {status.bytes === undefined ? t.common.none : sizeText(status.bytes)}
        {Boolean(status.missed) && <span class="tag tag-warn missed">{t.recordings.missed(sizeText(status.missed ?? 0))}</span>}
      </td>
      <td data-label={columns.age}>
        <Age since={status.startedAt} />
      </td>
      <td class="row-actions">
        <a class="button button-small" href={links.recording(name)} aria-label={`${t.recordings.play}: ${name}`}>
          {t.recordings.play}
        </a>
        {status.phase !== "Recording" && (
          <button class="button button-small" data-testid="delete-recording" onClick={onDelete} aria-label={`${t.recordings.delete}: ${name}`}>
            {t.recordings.delete}
          </button>
        )}
      </td>
    </tr>
  );
}

// An agent may have gone, or another may have its name.
function AgentName({ name, uid }: { name: string; uid: string }) {
  const known = useAgent(name);
  return known?.metadata.uid === uid ? <a href={links.agent(name)}>{name}</a> : <span>{name}</span>;
}
