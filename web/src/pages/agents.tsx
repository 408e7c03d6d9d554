import { useState } from "preact/hooks";
import type { Agent } from "../api/types";
import { Age } from "../parts/age";
import { ExecutorName } from "../parts/executor";
import { Plus, Prompt } from "../parts/icons";
import { Phase } from "../parts/phase";
import { ProblemBanner } from "../parts/problem";
import { useAction, type Action } from "../state/action";
import { feedState, useAgents, useSessionCounts } from "../state/live";
import { useValue } from "../state/observable";
import { links } from "../state/route";
import { t } from "../strings";
import { enterTerminal } from "./enter";
import { useTitle } from "../parts/title";

/** All agents with their live phases. */
export function AgentsPage() {
  useTitle(t.agents.title);
  const agents = useAgents();
  const feed = useValue(feedState);
  const [filter, setFilter] = useState("");
  const opening = useAction();
  const shown = agents.filter((agent) => matches(agent, filter.trim().toLowerCase()));
  return (
    <>
      <div class="page-head">
        <h1>
          {t.agents.title} {agents.length > 0 && <span class="count">{t.agents.count(shown.length, agents.length)}</span>}
        </h1>
        <span class="grow" />
        {agents.length > 4 && <Filter value={filter} onChange={setFilter} />}
        <a class="button button-primary" href={links.create} data-testid="new-agent">
          <Plus /> {t.agents.create}
        </a>
      </div>
      <ProblemBanner problem={opening.problem} onClose={opening.clear} />
      {agents.length > 0 && <AgentTable agents={shown} opening={opening} />}
      {agents.length > 0 && shown.length === 0 && <p class="quiet">{t.agents.nothingMatches}</p>}
      {agents.length === 0 && (feed === "loading" ? <p class="quiet">{t.common.loading}</p> : <Empty />)}
    </>
  );
}

function matches(agent: Agent, word: string): boolean {
  const texts = [agent.metadata.name, agent.status.phase, agent.spec.runtime, agent.status.executor ?? ""];
  return texts.some((text) => text.toLowerCase().includes(word));
}

function Filter({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <input
      class="filter"
      type="search"
      placeholder={t.agents.filter}
      aria-label={t.agents.filter}
      value={value}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function Empty() {
  return (
    <div class="empty card">
      <h2>{t.agents.emptyTitle}</h2>
      <p>{t.agents.emptyLead}</p>
      <a class="button button-primary" href={links.create}>
        <Plus /> {t.agents.create}
      </a>
    </div>
  );
}

function AgentTable({ agents, opening }: { agents: Agent[]; opening: Action }) {
  const counts = useSessionCounts();
  const columns = t.agents.columns;
  return (
    <div class="card table-card">
      <table class="stacking">
        <thead>
          <tr>
            {[columns.name, columns.phase, columns.runtime, columns.executor, columns.folder, columns.sessions, columns.age].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
            <th scope="col">
              <span class="hidden">{columns.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {agents.map((agent) => (
            <Row
              key={agent.metadata.uid ?? agent.metadata.name}
              agent={agent}
              sessions={counts.get(agent.metadata.name) ?? 0}
              opening={opening}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ agent, sessions, opening }: { agent: Agent; sessions: number; opening: Action }) {
  const { name, creationTimestamp } = agent.metadata;
  const columns = t.agents.columns;
  const open = (): void => void opening.run(() => enterTerminal(name));
  return (
    <tr data-testid={`agent-row-${name}`}>
      <th scope="row">
        <a href={links.agent(name)}>{name}</a>
      </th>
      <td data-label={columns.phase}>
        <Phase phase={agent.status.phase} testid="agent-phase" />
        {agent.status.reason && agent.status.phase !== "Running" && <span class="reason">{agent.status.reason}</span>}
      </td>
      <td data-label={columns.runtime}>{agent.spec.runtime}</td>
      <td data-label={columns.executor}>
        <ExecutorName agent={agent} />
      </td>
      <td data-label={columns.folder} class="path">
        {agent.spec.workspace?.folder ? <code>{agent.spec.workspace.folder}</code> : <span class="quiet">{t.agents.ownFolder}</span>}
      </td>
      <td data-label={columns.sessions} class="number">
        {sessions}
      </td>
      <td data-label={columns.age}>
        <Age since={creationTimestamp} />
      </td>
      <td class="row-actions">
        <button class="button button-small" disabled={opening.busy} onClick={open} aria-label={`${t.agent.open}: ${name}`}>
          <Prompt /> {t.agent.open}
        </button>
      </td>
    </tr>
  );
}
