import type { Problem } from "../api/problem";
import type { Option } from "../api/schema";
import { t } from "../strings";
import { described, Field } from "./field";

interface Given {
  options: Option[];
  values: Record<string, string>;
  secrets: string[];
  /** The option that the problem is about. */
  wrong: string | null;
  problem: Problem | null;
  onChange: (name: string, value: string) => void;
}

/** The id of an option's input. */
export const optionId = (name: string): string => `field-option-${name}`;

/** An executor's own options as inputs, made from its JSON schema. */
export function Options({ options, values, secrets, wrong, problem, onChange }: Given) {
  const shown = options.filter((option) => option.kind !== "other");
  const others = options.filter((option) => option.kind === "other").map((option) => option.name);
  if (options.length === 0) return null;
  return (
    <fieldset class="options" data-testid="options">
      <legend>{t.create.options}</legend>
      {shown.map((option) => (
        <Field
          key={option.name}
          id={optionId(option.name)}
          label={option.required ? t.create.required(option.name) : option.name}
          hint={option.hint}
          problem={wrong === option.name ? problem : null}
        >
          <Input
            option={option}
            value={values[option.name] ?? ""}
            secrets={secrets}
            wrong={wrong === option.name}
            onChange={(value) => onChange(option.name, value)}
          />
        </Field>
      ))}
      {others.length > 0 && <p class="hint">{t.create.otherOptions(others.join(", "))}</p>}
    </fieldset>
  );
}

interface One {
  option: Option;
  value: string;
  secrets: string[];
  wrong: boolean;
  onChange: (value: string) => void;
}

function Input({ option, value, secrets, wrong, onChange }: One) {
  const attributes = { ...described(optionId(option.name), wrong), "data-testid": optionId(option.name) };
  if (option.kind === "choice" || option.kind === "secret" || option.kind === "switch") {
    const choices = option.kind === "secret" ? secrets : option.kind === "switch" ? ["true", "false"] : option.choices;
    return (
      <select {...attributes} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{emptyText(option)}</option>
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {option.kind === "switch" ? t.create.switched[choice === "true" ? "on" : "off"] : choice}
          </option>
        ))}
      </select>
    );
  }
  return (
    <input
      {...attributes}
      type="text"
      inputMode={option.kind === "text" ? "text" : "decimal"}
      value={value}
      placeholder={standardText(option)}
      autocomplete="off"
      autocapitalize="none"
      spellcheck={false}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
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
