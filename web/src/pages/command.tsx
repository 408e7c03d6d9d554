import { useState } from "preact/hooks";
import { Dialog } from "../parts/dialog";
import { described, Field } from "../parts/field";
import { ProblemBanner } from "../parts/problem";
import type { Action } from "../state/action";
import { t } from "../strings";
import { splitArguments } from "./argv";

interface Given {
  action: Action;
  onRun: (command: string[] | undefined) => void;
  onClose: () => void;
}

/** Asks for the command of a new terminal; none is the runtime's own. */
export function CommandDialog({ action, onRun, onClose }: Given) {
  const [line, setLine] = useState("");
  const run = (event: Event): void => {
    event.preventDefault();
    const command = splitArguments(line);
    onRun(command.length > 0 ? command : undefined);
  };
  return (
    <Dialog title={t.agent.commandTitle} onClose={onClose}>
      <form onSubmit={run}>
        <ProblemBanner problem={action.problem} onClose={action.clear} />
        <Field id="field-command" label={t.agent.command} hint={t.agent.commandHint} problem={null}>
          <input
            {...described("field-command", false)}
            data-testid="field-command"
            type="text"
            value={line}
            placeholder={t.agent.commandPlaceholder}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            onInput={(event) => setLine(event.currentTarget.value)}
          />
        </Field>
        <div class="dialog-actions">
          <button class="button" type="button" onClick={onClose}>
            {t.common.cancel}
          </button>
          <button class="button button-primary" type="submit" data-testid="run" disabled={action.busy}>
            {t.agent.run}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
