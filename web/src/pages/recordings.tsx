import { useState } from "preact/hooks";
import type { Agent, Recording } from "../api/types";
import { ProblemBanner } from "../parts/problem";
import { RecordingTable } from "../parts/recordings";
import { useTitle } from "../parts/title";
import { useRecordings } from "../state/recordings";
import { t } from "../strings";

/** All recordings, those of agents that have gone too. */
export function RecordingsPage() {
  useTitle(t.recordings.title);
  const recordings = useRecordings("");
  const [filter, setFilter] = useState("");
  if (!recordings) return <p class="quiet">{t.common.loading}</p>;
  const { items, more } = recordings;
  const shown = items.filter((recording) => matches(recording, filter.trim().toLowerCase()));
  return (
    <>
      <div class="page-head">
        <h1>
          {t.recordings.title} {items.length > 0 && <span class="count">{t.agents.count(shown.length, items.length)}</span>}
        </h1>
        <span class="grow" />
        {items.length > 4 && (
          <input class="filter" type="search" data-testid="recordings-filter" placeholder={t.recordings.filter} aria-label={t.recordings.filter} value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
        )}
      </div>
      <ProblemBanner problem={recordings.problem} />
      {items.length > 0 && (
        <div class="card table-card">
          <RecordingTable items={shown} reload={recordings.reload} agents={true} />
        </div>
      )}
      {items.length > 0 && shown.length === 0 && <p class="quiet">{t.recordings.nothingMatches}</p>}
      {more && <p class="quiet">{t.recordings.more(items.length)}</p>}
      {items.length === 0 && !recordings.problem && <Empty />}
    </>
  );
}

function matches({ metadata, spec, status }: Recording, word: string): boolean {
  const texts = [metadata.name, spec.agent, status.phase, spec.command?.join(" ") ?? ""];
  return texts.some((text) => text.toLowerCase().includes(word));
}

function Empty() {
  return (
    <div class="empty card" data-testid="no-recordings">
      <h2>{t.recordings.emptyTitle}</h2>
      <p>{t.recordings.emptyLead}</p>
    </div>
  );
}

/** On an agent's page: recordings of its terminals, if there are any. */
export function AgentRecordings({ agent }: { agent: Agent }) {
  const recordings = useRecordings(`spec.agentUid=${agent.metadata.uid ?? ""}`);
  if (!recordings || recordings.items.length === 0) return null;
  return (
    <section class="card table-card" aria-labelledby="recordings" data-testid="agent-recordings">
      <h2 id="recordings">{t.recordings.title}</h2>
      <RecordingTable items={recordings.items} reload={recordings.reload} agents={false} />
    </section>
  );
}
