import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../api/problem";
import { createTarget } from "../api/resources";
import { optionsOf, valuesOf } from "../api/schema";
import { Field } from "../parts/field";
import { SelectInput, TextInput } from "../parts/inputs";
import { Options, optionOf } from "../parts/options";
import { ProblemBanner } from "../parts/problem";
import { useTitle } from "../parts/title";
import { useAction } from "../state/action";
import { go, links } from "../state/route";
import { t } from "../strings";
import { useChoices } from "./choices";
import { choiceOf, firstOf, type Choices } from "./choosing";

/** The form that declares a target. */
export function NewTargetPage() {
  useTitle(t.newTarget.title);
  const [choices, problem] = useChoices();
  return (
    <div class="narrow">
      <div class="page-head">
        <h1>{t.newTarget.title}</h1>
      </div>
      <ProblemBanner problem={problem} />
      {choices ? <Form choices={choices} /> : !problem && <p class="quiet">{t.common.loading}</p>}
    </div>
  );
}

/** What a problem is about; the first that fits. */
function inputOf(problem: Problem | null): "name" | "executor" | null {
  if (problem?.field?.startsWith("metadata.name")) return "name";
  return problem?.field === "spec.executor" ? "executor" : null;
}

function Form({ choices }: { choices: Choices }) {
  const [name, setName] = useState("");
  const [executor, setExecutor] = useState(() => firstOf(choices.executors, choices.standard));
  const [values, setValues] = useState<Record<string, string>>({});
  const action = useAction();
  const plugin = choices.executors.find((each) => each.name === executor);
  const settings = optionsOf(plugin?.settings);
  const wrong = inputOf(action.problem);
  const wrongSetting = optionOf("settings", settings, action.problem);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    await action.run(async () => {
      const spec = { executor, settings: valuesOf(settings, values) };
      go(links.target((await createTarget({ name: name.trim(), spec })).metadata.name));
    });
  };
  useEffect(() => {
    const id = wrong ? `field-${wrong}` : wrongSetting?.id;
    if (id) document.getElementById(id)?.focus();
  }, [action.problem]);
  return (
    <form class="card form" onSubmit={(event) => void submit(event)} noValidate>
      {!wrong && !wrongSetting && <ProblemBanner problem={action.problem} onClose={action.clear} />}
      <Field id="field-name" label={t.create.name} hint={t.create.nameHint} problem={wrong === "name" ? action.problem : null}>
        <TextInput id="field-name" value={name} wrong={wrong === "name"} onChange={setName} />
      </Field>
      <Field id="field-executor" label={t.create.executor} hint={plugin?.summary || t.create.executorHint} problem={wrong === "executor" ? action.problem : null}>
        <SelectInput
          id="field-executor"
          value={executor}
          choices={choices.executors.map((each) => choiceOf(each, choices.standard))}
          wrong={wrong === "executor"}
          onChange={(chosen) => {
            setExecutor(chosen);
            setValues({});
          }}
        />
      </Field>
      <Options
        family="settings"
        options={settings}
        values={values}
        secrets={choices.secrets}
        wrong={wrongSetting}
        problem={action.problem}
        onChange={(setting, value) => setValues({ ...values, [setting]: value })}
      />
      <div class="form-actions">
        <a class="button" href={links.targets}>
          {t.common.cancel}
        </a>
        <button class="button button-primary" type="submit" data-testid="create" disabled={action.busy}>
          {action.busy ? t.common.working : t.newTarget.submit}
        </button>
      </div>
    </form>
  );
}
