import { described } from "./field";

interface Text {
  id: string;
  value: string;
  wrong: boolean;
  placeholder?: string;
  /** Several lines. */
  lines?: number;
  numeric?: boolean;
  onChange: (value: string) => void;
}

/** An input for what a machine reads: nothing is completed, corrected or capitalised. */
export function TextInput({ id, value, wrong, placeholder, lines, numeric, onChange }: Text) {
  const quiet = { autocomplete: "off", autocapitalize: "none", spellcheck: false } as const;
  const attributes = { ...described(id, wrong), ...quiet, "data-testid": id, value, placeholder };
  if (lines) {
    return <textarea {...attributes} rows={lines} onInput={(event) => onChange(event.currentTarget.value)} />;
  }
  return (
    <input
      {...attributes}
      type="text"
      inputMode={numeric ? "decimal" : "text"}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** An input for what nobody shall see, and no browser shall keep. */
export function PasswordInput({ id, value, wrong, placeholder, onChange }: Text) {
  return (
    <input
      {...described(id, wrong)}
      data-testid={id}
      type="password"
      autocomplete="new-password"
      value={value}
      placeholder={placeholder}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}

export interface Choice {
  value: string;
  text: string;
  disabled?: boolean;
}

interface Select {
  id: string;
  value: string;
  choices: Choice[];
  wrong: boolean;
  onChange: (value: string) => void;
}

/** One of several. */
export function SelectInput({ id, value, choices, wrong, onChange }: Select) {
  return (
    <select {...described(id, wrong)} data-testid={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value} disabled={choice.disabled}>
          {choice.text}
        </option>
      ))}
    </select>
  );
}
