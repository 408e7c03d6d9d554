import { useEffect, useState } from "preact/hooks";
import { fromFailure, type Problem } from "../api/problem";
import { getStatus, listPlugins, listSecrets, listTargets } from "../api/resources";
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

async function loadChoices(): Promise<Choices> {
  const [plugins, status, secrets, targets] = await Promise.all([
    listPlugins(),
    getStatus(),
    listSecrets().catch(() => []), // who may not list secrets can still make an agent
    listTargets().catch(() => []),
  ]);
  const family = (name: string): Plugin[] => plugins.filter((plugin) => plugin.family === name);
  const standard = status.defaultExecutor ?? "";
  return { runtimes: family("runtime"), executors: family("executor"), targets, standard, secrets };
}

/** The choices once they are loaded, or why they cannot be. */
export function useChoices(): [Choices | null, Problem | null] {
  const [choices, setChoices] = useState<Choices | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    loadChoices().then(setChoices, (failure: unknown) => setProblem(fromFailure(failure)));
  }, []);
  return [choices, problem];
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

/** Where agents can be: each executor, followed by its declared targets as `EXECUTOR/TARGET`. */
export function placesOf({ executors, targets, standard }: Choices): Choice[] {
  return executors.flatMap((plugin) => [
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
