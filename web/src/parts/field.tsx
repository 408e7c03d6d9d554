import type { ComponentChildren } from "preact";
import type { Problem } from "../api/problem";

interface Given {
  id: string;
  label: string;
  hint?: string;
  problem: Problem | null;
  children: ComponentChildren;
}

/** The attributes that tie an input to its hint and its problem. */
export function described(id: string, wrong: boolean) {
  return { id, "aria-describedby": wrong ? `${id}-wrong` : `${id}-hint`, "aria-invalid": wrong };
}

/** One labelled input of a form, with its hint and what is wrong with it. */
export function Field({ id, label, hint, problem, children }: Given) {
  return (
    <div class={problem ? "field field-wrong" : "field"}>
      <label for={id}>{label}</label>
      {children}
      {problem ? (
        <p class="wrong" id={`${id}-wrong`} role="alert" data-testid={`${id}-wrong`}>
          {problem.message}
          {problem.hint ? ` ${problem.hint}` : ""}
        </p>
      ) : (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
