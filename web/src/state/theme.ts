import { Observable } from "./observable";

export type Choice = "system" | "light" | "dark";
export type Theme = "light" | "dark";

const KEY = "sac.theme";
const CHOICES: readonly Choice[] = ["system", "light", "dark"];
const system = matchMedia("(prefers-color-scheme: dark)");

function stored(): Choice {
  const value = localStorage.getItem(KEY) as Choice | null;
  return value && CHOICES.includes(value) ? value : "system";
}

export const choice = new Observable<Choice>(stored());
export const theme = new Observable<Theme>(resolve());

function resolve(): Theme {
  if (choice.value !== "system") return choice.value;
  return system.matches ? "dark" : "light";
}

function apply(): void {
  theme.set(resolve());
  document.documentElement.dataset.theme = theme.value;
}

/** From what the system says to light, to dark, and round again. */
export function nextChoice(): void {
  const next = CHOICES[(CHOICES.indexOf(choice.value) + 1) % CHOICES.length] ?? "system";
  localStorage.setItem(KEY, next);
  choice.set(next);
  apply();
}

system.addEventListener("change", apply);
apply();
