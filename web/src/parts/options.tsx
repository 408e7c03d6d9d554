import type { Problem } from "../api/problem";
import type { Option } from "../api/schema";
import { t } from "../strings";
import { Field } from "./field";
import { PasswordInput, SelectInput, TextInput, type Choice } from "./inputs";

/** Of an agent: `spec.options` are the executor's, `spec.runtimeOptions` the runtime's; of a target: `spec.settings`. */
type Family = "options" | "runtimeOptions" | "settings";

/** An option that a problem is about. */
export interface WrongOption {
  family: Family;
  name: string;
  /** The id of its input. */
  id: string;
}

interface Given {
  family: Family;
  options: Option[];
  values: Record<string, string>;
  secrets: string[];
  /** The option that the problem is about. */
  wrong: WrongOption | null;
  problem: Problem | null;
  onChange: (name: string, value: string) => void;
}

const PREFIX = { options: "field-option", runtimeOptions: "field-runtime-option", settings: "field-setting" };
const NAMES = { options: "options", runtimeOptions: "runtime-options", settings: "settings" };
const LEGENDS = { options: t.create.options, runtimeOptions: t.create.runtimeOptions, settings: t.newTarget.settings };

/** The option that has an input and that a problem is about. */
export function optionOf(family: Family, options: Option[], problem: Problem | null): WrongOption | null {
  const [, spec, name] = /^spec\.([^.]+)\.([^.]+)/.exec(problem?.field ?? "") ?? [];
  const known = spec === family && options.some((option) => option.name === name && option.kind !== "other");
  return known && name ? { family, name, id: `${PREFIX[family]}-${name}` } : null;
}

/** A plugin's own options as inputs, made from its JSON schema. */
export function Options({ family, options, values, secrets, wrong, problem, onChange }: Given) {
  const shown = options.filter((option) => option.kind !== "other");
  const others = options.filter((option) => option.kind === "other").map((option) => option.name);
  if (options.length === 0) return null;
  return (
    <fieldset class="options" data-testid={NAMES[family]}>
      <legend>{LEGENDS[family]}</legend>
      {shown.map((option) => {
        const id = `${PREFIX[family]}-${option.name}`;
        return (
          <Field
            key={option.name}
            id={id}
            label={option.required ? t.create.required(option.name) : option.name}
            hint={option.hint}
            problem={wrong?.id === id ? problem : null}
          >
            <Input
              id={id}
              option={option}
              value={values[option.name] ?? ""}
              secrets={secrets}
              wrong={wrong?.id === id}
              onChange={(value) => onChange(option.name, value)}
            />
          </Field>
        );
      })}
      {others.length > 0 && <p class="hint">{t.create.otherOptions(others.join(", "))}</p>}
    </fieldset>
  );
}

interface One {
  id: string;
  option: Option;
  value: string;
  secrets: string[];
  wrong: boolean;
  onChange: (value: string) => void;
}

function Input({ id, option, value, secrets, wrong, onChange }: One) {
  if (option.kind === "choice" || option.kind === "secret" || option.kind === "switch") {
    const choices = [{ value: "", text: emptyText(option) }, ...choicesOf(option, secrets)];
    return <SelectInput id={id} value={value} choices={choices} wrong={wrong} onChange={onChange} />;
  }
  const given = { id, value, wrong, placeholder: standardText(option), onChange };
  if (option.kind === "password") return <PasswordInput {...given} />;
  return <TextInput {...given} numeric={option.kind !== "text"} />;
}

function choicesOf(option: Option, secrets: string[]): Choice[] {
  if (option.kind === "switch") {
    return [
      { value: "true", text: t.create.switched.on },
      { value: "false", text: t.create.switched.off },
    ];
  }
  return (option.kind === "secret" ? secrets : option.choices).map((choice) => ({ value: choice, text: choice }));
}

function emptyText(option: Option): string {
  if (option.kind === "secret") return t.create.noSecret;
  const standard = option.kind === "switch" ? switchText(option.standard) : standardText(option);
  return standard ? t.create.standard(standard) : t.create.choose;
}

function switchText(standard: unknown): string {
  return typeof standard === "boolean" ? t.create.switched[standard ? "on" : "off"] : "";
}

function standardText(option: Option): string {
  return option.standard === undefined || option.standard === null ? "" : String(option.standard);
}
