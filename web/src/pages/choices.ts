import { useEffect, useState } from "preact/hooks";
import { fromFailure, type Problem } from "../api/problem";
import { getStatus, listPlugins, listSecrets } from "../api/resources";
import type { Plugin } from "../api/types";
import type { Choice } from "../parts/inputs";
import { t } from "../strings";

/** What a new agent can be made of here. `standard` is the executor of an agent that names none. */
export interface Choices {
  runtimes: Plugin[];
  executors: Plugin[];
  standard: string;
  secrets: string[];
}

async function loadChoices(): Promise<Choices> {
  const [plugins, status, secrets] = await Promise.all([
    listPlugins(),
    getStatus(),
    listSecrets().catch(() => []), // who may not list secrets can still make an agent
  ]);
  const family = (name: string): Plugin[] => plugins.filter((plugin) => plugin.family === name);
  return { runtimes: family("runtime"), executors: family("executor"), standard: status.defaultExecutor ?? "", secrets };
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
