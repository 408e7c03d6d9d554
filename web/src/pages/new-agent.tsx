import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../api/problem";
import { createAgent } from "../api/resources";
import { optionsOf } from "../api/schema";
import { NotSandbox } from "../parts/executor";
import { Field } from "../parts/field";
import { SelectInput, TextInput } from "../parts/inputs";
import { Options, optionOf } from "../parts/options";
import { ProblemBanner } from "../parts/problem";
import { useAction } from "../state/action";
import { collection } from "../state/live";
import { go, links } from "../state/route";
import { t } from "../strings";
import { useTitle } from "../parts/title";
import { useChoices } from "./choices";
import { choiceOf, firstOf, placeChoices, type Choices } from "./choosing";
import { agentOf, inputOf, MORE, type Draft, type Input } from "./draft";
import { More } from "./more";

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

function suggestion(): string {
  const letters = "bcdfghjkmnpqrstvwxz23456789";
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return `shell-${[...bytes].map((byte) => letters[byte % letters.length]).join("")}`;
}

function begun(choices: Choices): Draft {
  const empty = { folder: "", repository: "", image: "", command: "", environment: "", cpu: "", memory: "" };
  const [runtime, executor] = [firstOf(choices.runtimes, "shell"), firstOf(choices.executors, choices.standard)];
  return { name: suggestion(), runtime, executor, ...empty, options: {}, runtimeOptions: {} };
}

function Form({ choices }: { choices: Choices }) {
  const [draft, setDraft] = useState<Draft>(() => begun(choices));
  const action = useAction();
  const runtime = choices.runtimes.find((plugin) => plugin.name === draft.runtime);
  const executor = choices.executors.find((plugin) => plugin.name === draft.executor.split("/")[0]);
  const own = { executor: optionsOf(executor?.options), runtime: optionsOf(runtime?.options) };
  const wrong = inputOf(action.problem);
  const wrongOption = optionOf("options", own.executor, action.problem) ?? optionOf("runtimeOptions", own.runtime, action.problem);
  const set = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const about = (name: Input): Problem | null => (wrong === name ? action.problem : null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    await action.run(async () => {
      const agent = await createAgent(agentOf(draft, runtime, executor));
      collection.put(agent);
      go(links.agent(agent.metadata.name));
    });
  };
  useEffect(() => {
    const id = wrong ? `field-${wrong}` : wrongOption?.id;
    if (id) document.getElementById(id)?.focus();
  }, [action.problem]);
  return (
    <form class="card form" onSubmit={(event) => void submit(event)} noValidate>
      {!wrong && !wrongOption && <ProblemBanner problem={action.problem} onClose={action.clear} />}
      <Field id="field-name" label={t.create.name} hint={t.create.nameHint} problem={about("name")}>
        <TextInput id="field-name" value={draft.name} wrong={wrong === "name"} onChange={(name) => set({ name })} />
      </Field>
      <Field id="field-runtime" label={t.create.runtime} hint={runtime?.summary || t.create.runtimeHint} problem={about("runtime")}>
        <SelectInput
          id="field-runtime"
          value={draft.runtime}
          choices={choices.runtimes.map((plugin) => choiceOf(plugin))}
          wrong={wrong === "runtime"}
          onChange={(name) => set({ runtime: name, runtimeOptions: {} })}
        />
      </Field>
      <Options
        family="runtimeOptions"
        options={own.runtime}
        values={draft.runtimeOptions}
        secrets={choices.secrets}
        wrong={wrongOption}
        problem={action.problem}
        onChange={(name, value) => set({ runtimeOptions: { ...draft.runtimeOptions, [name]: value } })}
      />
      <Field id="field-executor" label={t.create.executor} hint={executor?.summary || t.create.executorHint} problem={about("executor")}>
        <SelectInput
          id="field-executor"
          value={draft.executor}
          choices={placeChoices(choices)}
          wrong={wrong === "executor"}
          onChange={(name) => set({ executor: name, options: {} })}
        />
        {executor?.isolated === false && (
          <p class="callout callout-warn" data-testid="isolation-warning">
            <NotSandbox /> {t.isolation.explain}
          </p>
        )}
      </Field>
      <Options
        family="options"
        options={own.executor}
        values={draft.options}
        secrets={choices.secrets}
        wrong={wrongOption}
        problem={action.problem}
        onChange={(name, value) => set({ options: { ...draft.options, [name]: value } })}
      />
      <Field id="field-folder" label={t.create.folder} hint={t.create.folderHint} problem={about("folder")}>
        <TextInput
          id="field-folder"
          value={draft.folder}
          wrong={wrong === "folder"}
          placeholder={t.create.folderPlaceholder}
          onChange={(folder) => set({ folder })}
        />
      </Field>
      <More draft={draft} open={wrong !== null && MORE.includes(wrong)} wrong={wrong} about={about} onChange={set} />
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
