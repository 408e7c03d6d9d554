import { useEffect, useState } from "preact/hooks";
import { fromFailure, type Problem } from "../api/problem";
import { createAgent, getStatus, listPlugins, listSecrets, type NewAgent } from "../api/resources";
import { optionsOf, valuesOf, type Option } from "../api/schema";
import type { Plugin } from "../api/types";
import { NotSandbox } from "../parts/executor";
import { described, Field } from "../parts/field";
import { Options, optionId } from "../parts/options";
import { ProblemBanner } from "../parts/problem";
import { useAction } from "../state/action";
import { collection } from "../state/live";
import { go, links } from "../state/route";
import { t } from "../strings";
import { useTitle } from "../parts/title";

interface Choices {
  runtimes: Plugin[];
  executors: Plugin[];
  standard: string;
  secrets: string[];
}

/** Which of the form's inputs a problem's field is about. */
const INPUTS: Record<string, keyof NewAgent> = {
  "metadata.name": "name",
  "spec.runtime": "runtime",
  "spec.executor": "executor",
  "spec.workspace": "folder",
};

function inputOf(problem: Problem | null): keyof NewAgent | null {
  const field = problem?.field ?? "";
  const known = Object.keys(INPUTS).find((path) => field === path || field.startsWith(`${path}.`));
  return known ? (INPUTS[known] ?? null) : null;
}

/** The option that a problem is about. */
function optionOf(problem: Problem | null): string | null {
  const [, name] = /^spec\.options\.([^.]+)/.exec(problem?.field ?? "") ?? [];
  return name ?? null;
}

async function loadChoices(): Promise<Choices> {
  const [plugins, status, secrets] = await Promise.all([
    listPlugins(),
    getStatus(),
    listSecrets().catch(() => []), // who may not list secrets can still make an agent
  ]);
  const family = (name: string): Plugin[] => plugins.filter((plugin) => plugin.family === name);
  return { runtimes: family("runtime"), executors: family("executor"), standard: status.defaultExecutor ?? "", secrets };
}

function usable(plugin: Plugin): boolean {
  return !plugin.state || !["failed", "refused", "broken", "conflict"].includes(plugin.state.toLowerCase());
}

function suggestion(): string {
  const letters = "bcdfghjkmnpqrstvwxz23456789";
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return `shell-${[...bytes].map((byte) => letters[byte % letters.length]).join("")}`;
}

function useChoices(): [Choices | null, Problem | null] {
  const [choices, setChoices] = useState<Choices | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    loadChoices().then(setChoices, (failure: unknown) => setProblem(fromFailure(failure)));
  }, []);
  return [choices, problem];
}

/** The form that declares an agent. */
export function NewAgentPage() {
  useTitle(t.create.title);
  const [choices, problem] = useChoices();
  return (
    <div class="narrow">
      <div class="page-head">
        <h1>{t.create.title}</h1>
      </div>
      <ProblemBanner problem={problem} />
      {choices ? <Form choices={choices} /> : !problem && <p class="quiet">{t.common.loading}</p>}
    </div>
  );
}

function first(plugins: Plugin[], wanted: string): string {
  return (plugins.find((plugin) => plugin.name === wanted) ?? plugins.find(usable))?.name ?? "";
}

function Form({ choices }: { choices: Choices }) {
  const [given, setGiven] = useState<NewAgent>(() => ({
    name: suggestion(),
    runtime: first(choices.runtimes, "shell"),
    executor: first(choices.executors, choices.standard),
    folder: "",
  }));
  const [options, setOptions] = useState<Record<string, string>>({});
  const action = useAction();
  const wrong = inputOf(action.problem);
  const known = optionsOf(choices.executors.find((plugin) => plugin.name === given.executor)?.options);
  const wrongOption = shownOption(known, action.problem);
  const set = (part: Partial<NewAgent>): void => setGiven({ ...given, ...part });
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    await action.run(async () => {
      const trimmed = { name: given.name.trim(), folder: given.folder?.trim(), options: valuesOf(known, options) };
      const agent = await createAgent({ ...given, ...trimmed });
      collection.put(agent);
      go(links.agent(agent.metadata.name));
    });
  };
  useEffect(() => {
    const id = wrong ? `field-${wrong}` : wrongOption ? optionId(wrongOption) : "";
    if (id) document.getElementById(id)?.focus();
  }, [action.problem]);
  const about = (name: keyof NewAgent): Problem | null => (wrong === name ? action.problem : null);
  return (
    <form class="card form" onSubmit={(event) => void submit(event)} noValidate>
      {!wrong && !wrongOption && <ProblemBanner problem={action.problem} onClose={action.clear} />}
      <Field id="field-name" label={t.create.name} hint={t.create.nameHint} problem={about("name")}>
        <TextInput name="name" value={given.name} wrong={wrong} onChange={(name) => set({ name })} />
      </Field>
      <Field id="field-runtime" label={t.create.runtime} hint={summaryOf(choices.runtimes, given.runtime) ?? t.create.runtimeHint} problem={about("runtime")}>
        <Select name="runtime" value={given.runtime} plugins={choices.runtimes} wrong={wrong} onChange={(runtime) => set({ runtime })} />
      </Field>
      <Field id="field-executor" label={t.create.executor} hint={summaryOf(choices.executors, given.executor) ?? t.create.executorHint} problem={about("executor")}>
        <Select name="executor" value={given.executor ?? ""} plugins={choices.executors} standard={choices.standard} wrong={wrong} onChange={(executor) => set({ executor })} />
        <Isolation executor={choices.executors.find((plugin) => plugin.name === given.executor)} />
      </Field>
      <Field id="field-folder" label={t.create.folder} hint={t.create.folderHint} problem={about("folder")}>
        <TextInput name="folder" value={given.folder ?? ""} wrong={wrong} placeholder={t.create.folderPlaceholder} onChange={(folder) => set({ folder })} />
      </Field>
      <Options
        options={known}
        values={options}
        secrets={choices.secrets}
        wrong={wrongOption}
        problem={action.problem}
        onChange={(name, value) => setOptions({ ...options, [name]: value })}
      />
      <div class="form-actions">
        <a class="button" href={links.agents}>
          {t.common.cancel}
        </a>
        <button class="button button-primary" type="submit" data-testid="create" disabled={action.busy}>
          {action.busy ? t.common.working : t.create.submit}
        </button>
      </div>
    </form>
  );
}

function shownOption(options: Option[], problem: Problem | null): string | null {
  const name = optionOf(problem);
  return options.some((option) => option.name === name && option.kind !== "other") ? name : null;
}

function summaryOf(plugins: Plugin[], name: string | undefined): string | undefined {
  return plugins.find((plugin) => plugin.name === name)?.summary || undefined;
}

function Isolation({ executor }: { executor: Plugin | undefined }) {
  if (executor?.isolated !== false) return null;
  return (
    <p class="callout callout-warn" data-testid="isolation-warning">
      <NotSandbox /> {t.isolation.explain}
    </p>
  );
}

interface Text {
  name: keyof NewAgent;
  value: string;
  wrong: keyof NewAgent | null;
  placeholder?: string;
  onChange: (value: string) => void;
}

function TextInput({ name, value, wrong, placeholder, onChange }: Text) {
  return (
    <input
      {...described(`field-${name}`, wrong === name)}
      data-testid={`field-${name}`}
      type="text"
      value={value}
      placeholder={placeholder}
      autocomplete="off"
      autocapitalize="none"
      spellcheck={false}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}

interface Options {
  name: keyof NewAgent;
  value: string;
  plugins: Plugin[];
  standard?: string;
  wrong: keyof NewAgent | null;
  onChange: (value: string) => void;
}

function Select({ name, value, plugins, standard, wrong, onChange }: Options) {
  return (
    <select
      {...described(`field-${name}`, wrong === name)}
      data-testid={`field-${name}`}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      {plugins.map((plugin) => (
        <option key={plugin.name} value={plugin.name} disabled={!usable(plugin)}>
          {optionText(plugin, standard)}
        </option>
      ))}
    </select>
  );
}

function optionText(plugin: Plugin, standard: string | undefined): string {
  const notes = [
    plugin.name === standard ? t.create.isDefault : "",
    plugin.isolated === false ? t.isolation.no : "",
    usable(plugin) ? "" : t.create.broken,
  ].filter((note) => note !== "");
  return notes.length > 0 ? `${plugin.name} (${notes.join(", ")})` : plugin.name;
}
