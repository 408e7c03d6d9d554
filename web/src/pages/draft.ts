import { Problem } from "../api/problem";
import type { NewAgent } from "../api/resources";
import { optionsOf, valuesOf } from "../api/schema";
import type { Plugin } from "../api/types";
import { t } from "../strings";
import { splitArguments } from "./argv";

/** What a person has written into the form of a new agent, as it stands there; empty is left to SAC. */
export interface Draft {
  name: string;
  runtime: string;
  executor: string;
  folder: string;
  repository: string;
  image: string;
  command: string;
  environment: string;
  cpu: string;
  memory: string;
  options: Record<string, string>;
  runtimeOptions: Record<string, string>;
}

export type Input = Exclude<keyof Draft, "options" | "runtimeOptions">;

/** The inputs behind "More": a problem of one of them opens it. */
export const MORE: readonly Input[] = ["repository", "image", "command", "environment", "cpu", "memory"];

/** Which input a problem's field is about; the first that fits. */
const INPUTS: readonly [string, Input][] = [
  ["metadata.name", "name"],
  ["spec.runtime", "runtime"],
  ["spec.executor", "executor"],
  ["spec.workspace.git", "repository"],
  ["spec.workspace", "folder"],
  ["spec.image", "image"],
  ["spec.command", "command"],
  ["spec.env", "environment"],
  ["spec.resources.cpu", "cpu"],
  ["spec.resources.memory", "memory"],
];

export function inputOf(problem: Problem | null): Input | null {
  const field = problem?.field ?? "";
  const known = INPUTS.find(([path]) => field === path || field.startsWith(`${path}.`));
  return known ? known[1] : null;
}

const MEBIBYTE = 1024 * 1024;

/** The agent that a draft declares; raises a `Problem` for what the server could not be asked. */
export function agentOf(draft: Draft, runtime: Plugin | undefined, executor: Plugin | undefined): NewAgent {
  const folder = draft.folder.trim();
  const url = draft.repository.trim();
  const command = splitArguments(draft.command);
  return {
    name: draft.name.trim(),
    spec: {
      runtime: draft.runtime,
      executor: placeOf(draft.executor),
      workspace: folder || url ? { folder: folder || undefined, git: url ? { url } : undefined } : undefined,
      image: draft.image.trim() || undefined,
      command: command.length > 0 ? command : undefined,
      env: variables(draft.environment),
      resources: {
        cpu: numberOf(draft.cpu, "spec.resources.cpu"),
        memory: bytesOf(numberOf(draft.memory, "spec.resources.memory")),
      },
      options: valuesOf(optionsOf(executor?.options), draft.options),
      runtimeOptions: valuesOf(optionsOf(runtime?.options), draft.runtimeOptions),
    },
  };
}

/** `EXECUTOR`, or `EXECUTOR/TARGET`, as a spec has it. */
function placeOf(chosen: string): NewAgent["spec"]["executor"] {
  const [name, target] = chosen.split("/");
  return name && target ? { name, target } : name || undefined;
}

/** A line is one variable, NAME=value; what is empty is passed over. */
function variables(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    const [name, ...value] = line.split("=");
    if (!name?.trim() || value.length === 0) throw wrong("spec.env", t.create.noVariable(line.trim().slice(0, 60)));
    found[name.trim()] = value.join("=");
  }
  return found;
}

function numberOf(text: string, field: string): number | undefined {
  if (text.trim() === "") return undefined;
  const number = Number(text.trim());
  if (!Number.isFinite(number)) throw wrong(field, t.create.noNumber(text.trim().slice(0, 60)));
  return number;
}

function bytesOf(mebibytes: number | undefined): number | undefined {
  return mebibytes === undefined ? undefined : Math.round(mebibytes * MEBIBYTE);
}

function wrong(field: string, message: string): Problem {
  return new Problem(400, message, "InvalidSpec", field);
}
