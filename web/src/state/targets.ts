import { getStatus, listPlugins, listTargets } from "../api/resources";
import type { Status, Target } from "../api/types";
import { placesOf, type Place } from "./places";
import { usePolled, type Polled } from "./polled";

/** How often targets are read again; and while SAC has yet to look at one. */
const QUIET_MS = 5_000;
const WAITING_MS = 700;

export function usePlaces(): Polled<Place[]> {
  return usePolled(
    async () => placesOf(...(await Promise.all([listPlugins(), listTargets()]))),
    "",
    (places) => pauseFor(places?.flatMap(({ target }) => (target ? [target] : [])) ?? []),
  );
}

/** A declared target; `undefined` when there is none of this name. */
export function useTarget(name: string): Polled<{ target: Target | undefined }> {
  return usePolled(
    async () => ({ target: (await listTargets()).find(({ metadata }) => metadata.name === name) }),
    name,
    (found) => pauseFor(found?.target ? [found.target] : []),
  );
}

/** Looking at everything takes long: it is done once, and again when it is asked for. */
export function useCheckup(): Polled<Status> {
  return usePolled(getStatus, "", (status) => (status ? null : QUIET_MS));
}

function pauseFor(targets: Target[]): number {
  return targets.some(({ status }) => status.phase === "Pending") ? WAITING_MS : QUIET_MS;
}
