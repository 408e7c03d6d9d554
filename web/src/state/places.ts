import type { Finding, Plugin, Status, Target } from "../api/types";

/** The place that every executor has by itself. */
export const OWN = "default";

/** Where agents can be put: the place that an executor has by itself, or a declared target. */
export interface Place {
  executor: string;
  name: string;
  /** None for an executor's own place. */
  target?: Target;
  /** Whether agents are in sandboxes there, as far as it is known. */
  isolated?: boolean;
  /** New agents that name the executor alone go there. */
  standard: boolean;
}

/** Each executor's own place, followed by its declared targets; targets of executors that have gone are last. */
export function placesOf(plugins: Plugin[], targets: Target[]): Place[] {
  const executors = plugins.filter(({ family }) => family === "executor");
  const gone = targets.map(({ spec }) => spec.executor).filter((name) => !executors.some((plugin) => plugin.name === name));
  return [
    ...executors.flatMap((plugin) => [own(plugin, targets), ...declared(plugin.name, targets)]),
    ...[...new Set(gone)].flatMap((executor) => declared(executor, targets)),
  ];
}

function own({ name: executor, isolated }: Plugin, targets: Target[]): Place {
  const elsewhere = targets.some(({ spec, status }) => spec.executor === executor && status.default);
  return { executor, name: OWN, isolated, standard: !elsewhere };
}

function declared(executor: string, targets: Target[]): Place[] {
  return targets
    .filter(({ spec }) => spec.executor === executor)
    .sort((a, b) => a.metadata.name.localeCompare(b.metadata.name))
    .map((target) => ({
      executor,
      name: target.metadata.name,
      target,
      isolated: target.status.isolated,
      standard: target.status.default ?? false,
    }));
}

/** What a check of all of SAC says of an executor's own place: whether it answers, and what is wrong there. */
export function seenOf(executor: string, status: Status): { ready: boolean; findings: Finding[] } {
  const checks = [`executor ${executor}`, `plugin ${executor}`];
  const findings = (status.findings ?? []).filter(({ check }) => checks.includes(check.split(":")[0] ?? ""));
  const ready = findings.some(({ check, level }) => level === "ok" && check === checks[0]);
  return { ready, findings: findings.filter(({ level }) => level !== "ok") };
}
