import { useState } from "preact/hooks";
import { deleteTarget, setDefaultTarget, setSchedulable, testTarget } from "../api/resources";
import type { Probe, Target } from "../api/types";
import { Conditions } from "../parts/conditions";
import { Confirm } from "../parts/dialog";
import { NotSandbox } from "../parts/executor";
import { FactTable } from "../parts/fact_table";
import { Findings } from "../parts/findings";
import { Bin, Pause, Play } from "../parts/icons";
import { Phase } from "../parts/phase";
import { ProblemBanner } from "../parts/problem";
import { Raw } from "../parts/raw";
import { TargetOverview } from "../parts/target_overview";
import { useTitle } from "../parts/title";
import { useAction, type Action } from "../state/action";
import { useAgents } from "../state/live";
import { go, links } from "../state/route";
import { useTarget } from "../state/targets";
import { t } from "../strings";

/** One declared target: what it is, how it is, who is there, and what can be done with it. */
export function TargetPage({ name }: { name: string }) {
  useTitle(name);
  const { value, problem, reload } = useTarget(name);
  if (value?.target) return <Known target={value.target} reload={reload} />;
  if (value) return <Missing name={name} />;
  return problem ? <ProblemBanner problem={problem} /> : <p class="quiet">{t.common.loading}</p>;
}

function Missing({ name }: { name: string }) {
  return (
    <div class="empty card" data-testid="target-missing">
      <h1>{t.target.missingTitle(name)}</h1>
      <p>{t.target.missingLead}</p>
      <a class="button" href={links.targets}>
        {t.target.back}
      </a>
    </div>
  );
}

function Known({ target, reload }: { target: Target; reload: () => void }) {
  const action = useAction();
  const [tested, setTested] = useState<Probe | null>(null);
  const test = (): void => {
    setTested(null);
    void action.run(async () => setTested(await testTarget(target.metadata.name))).then(reload);
  };
  return (
    <>
      <Head target={target} action={action} reload={reload} test={test} />
      <ProblemBanner problem={action.problem} onClose={action.clear} />
      {tested && <Tested probe={tested} />}
      <TargetOverview target={target} />
      <Conditions conditions={target.status.conditions ?? []} />
      {!tested && <Findings id="findings" title={t.target.findings} findings={target.status.findings ?? []} empty={t.target.noFindings} />}
      <Inhabitants target={target} />
      <Raw thing={target} />
    </>
  );
}

function Tested({ probe }: { probe: Probe }) {
  const title = probe.reachable ? t.target.reachable : t.target.unreachable;
  return <Findings id="tested" title={title} findings={probe.findings ?? []} empty={t.target.noFindings} />;
}

interface HeadGiven {
  target: Target;
  action: Action;
  reload: () => void;
  test: () => void;
}

function Head({ target, action, reload, test }: HeadGiven) {
  const { metadata, status } = target;
  return (
    <div class="agent-head">
      <nav class="crumbs" aria-label={t.nav.targets}>
        <a href={links.targets}>{t.nav.targets}</a>
      </nav>
      <div class="page-head">
        <h1>{metadata.name}</h1>
        <Phase phase={status.phase} testid="target-phase" />
        {status.default && <span class="tag">{t.targets.standard}</span>}
        {status.isolated === false && <NotSandbox />}
        <span class="grow" />
        <button class="button button-primary" data-testid="test-target" disabled={action.busy} onClick={test}>
          {action.busy ? t.common.working : t.target.test}
        </button>
        <Verbs target={target} action={action} reload={reload} />
      </div>
      <p class={status.phase === "NotReady" ? "state state-bad" : "state"} aria-live="polite">
        {[status.reason, status.message].filter(Boolean).join(" · ")}
      </p>
    </div>
  );
}

function Verbs({ target, action, reload }: Omit<HeadGiven, "test">) {
  const [asked, setAsked] = useState(false);
  const { name } = target.metadata;
  const open = target.spec.schedulable !== false;
  const perform = (work: () => Promise<unknown>): void => void action.run(async () => void (await work())).then(reload);
  const remove = async (): Promise<void> => {
    setAsked(false);
    if (await action.run(async () => void (await deleteTarget(name)))) go(links.targets);
  };
  const Shown = open ? Pause : Play;
  return (
    <div class="verbs" role="group" aria-label={t.agents.columns.actions}>
      {!target.status.default && (
        <button class="button" data-testid="set-default" disabled={action.busy} onClick={() => perform(() => setDefaultTarget(name, target.spec.executor))}>
          {t.target.setDefault}
        </button>
      )}
      <button class="button" data-testid="set-schedulable" disabled={action.busy} onClick={() => perform(() => setSchedulable(name, !open))}>
        <Shown /> {open ? t.target.close : t.target.open}
      </button>
      <button class="button" data-testid="delete-target" disabled={action.busy} onClick={() => setAsked(true)}>
        <Bin /> {t.agent.delete}
      </button>
      {asked && (
        <Confirm title={t.target.deleteTitle(name)} text={t.target.deleteText} action={t.agent.delete} busy={action.busy} onYes={() => void remove()} onClose={() => setAsked(false)} />
      )}
    </div>
  );
}

/** The agents there that this user sees. */
function Inhabitants({ target }: { target: Target }) {
  const columns = t.target.agentColumns;
  const there = useAgents().filter(({ status }) => status.executor === target.spec.executor && status.target === target.metadata.name);
  return (
    <FactTable
      id="agents-there"
      title={t.agents.title}
      columns={columns}
      rows={there.map(({ metadata, status }) => (
        <tr key={metadata.uid ?? metadata.name}>
          <th scope="row">
            <a href={links.agent(metadata.name)}>{metadata.name}</a>
          </th>
          <td data-label={columns.phase}>
            <Phase phase={status.phase} testid="agent-phase" />
          </td>
        </tr>
      ))}
      empty={t.target.noAgents}
    />
  );
}
