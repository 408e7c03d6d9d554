import type { Plugin, Target } from "../api/types";
import type { Choice } from "../parts/inputs";
import { t } from "../strings";

/** What a new agent can be made of here. `standard` is the executor of an agent that names none. */
export interface Choices {
  runtimes: Plugin[];
  executors: Plugin[];
  targets: Target[];
  standard: string;
  secrets: string[];
}

function usable(plugin: Plugin): boolean {
  return plugin.state !== "failed";
}

/** The name of the wanted plugin, else of the first that works. */
export function firstOf(plugins: Plugin[], wanted: string): string {
  return (plugins.find((plugin) => plugin.name === wanted) ?? plugins.find(usable))?.name ?? "";
}

/** A plugin as one of several. */
export function choiceOf(plugin: Plugin, standard?: string): Choice {
  const notes = [
    plugin.name === standard ? t.create.isDefault : "",
    plugin.isolated === false ? t.isolation.no : "",
    usable(plugin) ? "" : t.create.broken,
  ].filter((note) => note !== "");
  const text = notes.length > 0 ? `${plugin.name} (${notes.join(", ")})` : plugin.name;
  return { value: plugin.name, text, disabled: !usable(plugin) };
}

/** Where agents can be: the executor of agents that name none first, each followed by its targets as `EXECUTOR/TARGET`. */
export function placeChoices({ executors, targets, standard }: Choices): Choice[] {
  const first = (plugin: Plugin): number => Number(plugin.name === standard);
  const sorted = [...executors].sort((a, b) => first(b) - first(a));
  return sorted.flatMap((plugin) => [
    choiceOf(plugin, standard),
    ...targets.filter((target) => target.spec.executor === plugin.name).map(placeOf),
  ]);
}

/** A target that is not ready may be so soon: it can be chosen, and the agent waits. */
function placeOf({ metadata, spec, status }: Target): Choice {
  const notes = [status.default ? t.create.isDefault : "", status.phase === "NotReady" ? t.create.notReady : ""];
  const told = notes.filter((note) => note !== "").join(", ");
  const text = `${spec.executor} / ${metadata.name}${told ? ` (${told})` : ""}`;
  return { value: `${spec.executor}/${metadata.name}`, text, disabled: spec.schedulable === false };
}
