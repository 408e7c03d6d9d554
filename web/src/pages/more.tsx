import { useState } from "preact/hooks";
import type { Problem } from "../api/problem";
import { Field } from "../parts/field";
import { TextInput } from "../parts/inputs";
import { t } from "../strings";
import { MORE, type Draft, type Input } from "./draft";

interface Given {
  draft: Draft;
  /** Something inside is wrong. */
  open: boolean;
  wrong: Input | null;
  about: (name: Input) => Problem | null;
  onChange: (part: Partial<Draft>) => void;
}

/** What most agents do without: repository, image, command, environment, limits. */
export function More({ draft, open, wrong, about, onChange }: Given) {
  const [wanted, setWanted] = useState(false);
  return (
    <details class="more" open={open || wanted} onToggle={(event) => setWanted(event.currentTarget.open)}>
      <summary data-testid="more">{t.create.more}</summary>
      <div class="more-fields">
        {MORE.map((name) => {
          const id = `field-${name}`;
          const text = t.create.inputs[name as keyof typeof t.create.inputs];
          return (
            <Field key={name} id={id} label={text.label} hint={text.hint} problem={about(name)}>
              <TextInput
                id={id}
                value={draft[name]}
                wrong={wrong === name}
                placeholder={text.placeholder}
                lines={name === "environment" ? 3 : undefined}
                numeric={name === "cpu" || name === "memory"}
                onChange={(value) => onChange({ [name]: value })}
              />
            </Field>
          );
        })}
      </div>
    </details>
  );
}
