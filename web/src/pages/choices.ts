import { useEffect, useState } from "preact/hooks";
import { fromFailure, type Problem } from "../api/problem";
import { getStatus, listPlugins, listSecrets, listTargets } from "../api/resources";
import type { Plugin } from "../api/types";
import type { Choices } from "./choosing";

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
