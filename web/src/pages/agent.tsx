import { useState } from "preact/hooks";
import { actOnAgent, deleteAgent, type AgentVerb, type DeleteFlag } from "../api/resources";
import type { Agent } from "../api/types";
import { Conditions } from "../parts/conditions";
import { Confirm } from "../parts/dialog";
import { NotSandbox } from "../parts/executor";
import { Again, Bin, Play, Prompt, Stop } from "../parts/icons";
import { Overview } from "../parts/overview";
import { Phase } from "../parts/phase";
import { ProblemBanner } from "../parts/problem";
import { Raw } from "../parts/raw";
import { Timeline } from "../parts/timeline";
import { useAction, type Action } from "../state/action";
import { collection, feedState, useAgent } from "../state/live";
import { useValue } from "../state/observable";
import { go, links } from "../state/route";
import { t } from "../strings";
import { CommandDialog } from "./command";
import { enterTerminal } from "./enter";
import { AgentFiles } from "./files";
import { AgentPorts } from "./ports";
import { AgentRecordings } from "./recordings";
import { AgentSessions } from "./sessions";
import { useTitle } from "../parts/title";

/** One agent: what it is, how it is, its terminals, and what can be done with it. */
export function AgentPage({ name, asking }: { name: string; asking: boolean }) {
  useTitle(name);
  const agent = useAgent(name);
  const feed = useValue(feedState);
  if (agent) return <Known agent={agent} asking={asking} />;
  return feed === "loading" ? <p class="quiet">{t.common.loading}</p> : <Missing name={name} />;
}

function Missing({ name }: { name: string }) {
  return (
    <div class="empty card" data-testid="agent-missing">
      <h1>{t.agent.missingTitle(name)}</h1>
      <p>{t.agent.missingLead}</p>
      <a class="button" href={links.agents}>
        {t.agent.back}
      </a>
    </div>
  );
}

function Known({ agent, asking }: { agent: Agent; asking: boolean }) {
  const action = useAction();
  const name = agent.metadata.name;
  const open = (command?: string[]): Promise<boolean> =>
    action.run(() => enterTerminal(name, command));
  return (
    <>
      <Head agent={agent} action={action} open={() => void open()} />
      {!asking && <ProblemBanner problem={action.problem} onClose={action.clear} />}
      {asking && <CommandDialog action={action} onRun={(command) => void open(command)} onClose={() => go(links.agent(name))} />}
      <AgentSessions agent={agent} />
      <AgentPorts agent={agent} />
      <AgentFiles agent={agent} />
      <AgentRecordings agent={agent} />
      <Overview agent={agent} />
      <Conditions conditions={agent.status.conditions ?? []} />
      <Timeline agent={agent} />
      <Raw thing={agent} />
    </>
  );
}

interface HeadGiven {
  agent: Agent;
  action: Action;
  open: () => void;
}

function Head({ agent, action, open }: HeadGiven) {
  const { status, metadata } = agent;
  return (
    <div class="agent-head">
      <nav class="crumbs" aria-label={t.nav.agents}>
        <a href={links.agents}>{t.nav.agents}</a>
      </nav>
      <div class="page-head">
        <h1>{metadata.name}</h1>
        <Phase phase={status.phase} testid="agent-phase" />
        {status.isolated === false && <NotSandbox />}
        <span class="grow" />
        <button class="button button-primary" data-testid="open-terminal" disabled={action.busy} onClick={open}>
          <Prompt /> {t.agent.open}
        </button>
        <Verbs agent={agent} action={action} />
      </div>
      <p class={status.phase === "Failed" ? "state state-bad" : "state"} aria-live="polite">
        {[status.reason, status.message, status.progress].filter(Boolean).join(" · ")}
      </p>
    </div>
  );
}

type Asked = AgentVerb | "delete";

function Verbs({ agent, action }: { agent: Agent; action: Action }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [flag, setFlag] = useState<DeleteFlag | null>(null);
  const name = agent.metadata.name;
  const going = Boolean(agent.metadata.deletionTimestamp);
  const perform = async (verb: Asked): Promise<void> => {
    setAsked(null);
    await action.run(async () => {
      if (verb === "delete") await deleteAgent(name, flag);
      else collection.put(await actOnAgent(name, verb));
    });
  };
  const stopped = agent.spec.state === "Stopped";
  const still = action.busy || going;
  const away = isAway(agent);
  const keeps = agent.spec.keepVolumes === true;
  return (
    <div class="verbs" role="group" aria-label={t.agents.columns.actions}>
      {stopped ? (
        <VerbButton verb="start" disabled={still} onClick={() => void perform("start")} />
      ) : (
        <VerbButton verb="stop" disabled={still} onClick={() => setAsked("stop")} />
      )}
      <VerbButton verb="restart" disabled={still || stopped} onClick={() => setAsked("restart")} />
      <VerbButton verb="delete" disabled={action.busy || (going && !away)} onClick={() => setAsked("delete")} />
      {asked && asked !== "start" && (
        <Confirm {...questions[asked](name)} action={t.agent[asked]} busy={action.busy} onYes={() => void perform(asked)} onClose={() => setAsked(null)}>
          {asked === "delete" && !going && (
            <Choice text={words.keepVolumes} checked={keeps || flag === "keepVolumes"} disabled={keeps} onChange={(yes) => setFlag(yes ? "keepVolumes" : null)} />
          )}
          {asked === "delete" && away && !keeps && (
            <Choice text={words.abandon} checked={flag === "abandon"} disabled={false} onChange={(yes) => setFlag(yes ? "abandon" : null)} />
          )}
        </Confirm>
      )}
    </div>
  );
}

/** Whether the agent's executor did not answer when it was asked last. */
function isAway(agent: Agent): boolean {
  return (agent.status.conditions ?? []).some((condition) => condition.type === "ExecutorReachable" && condition.status === "False");
}

interface ChoiceGiven {
  text: string;
  checked: boolean;
  disabled: boolean;
  onChange: (checked: boolean) => void;
}

/** Something that may be asked for besides. */
function Choice({ text, checked, disabled, onChange }: ChoiceGiven) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
      {text}
    </label>
  );
}

const words = t.agent.confirm;
const questions = {
  stop: (name: string) => ({ title: words.stopTitle(name), text: words.stopText }),
  restart: (name: string) => ({ title: words.restartTitle(name), text: words.restartText }),
  delete: (name: string) => ({ title: words.deleteTitle(name), text: words.deleteText }),
};
const icons = { start: Play, stop: Stop, restart: Again, delete: Bin };

interface VerbGiven {
  verb: Asked;
  disabled: boolean;
  onClick: () => void;
}

function VerbButton({ verb, disabled, onClick }: VerbGiven) {
  const Shown = icons[verb];
  return (
    <button class="button" data-testid={`${verb}-agent`} disabled={disabled} onClick={onClick}>
      <Shown /> {t.agent[verb]}
    </button>
  );
}
