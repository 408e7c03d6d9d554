import type { Problem } from "../api/problem";
import { listRecordings } from "../api/resources";
import type { Recording } from "../api/types";
import { collection } from "./live";
import { useValue } from "./observable";
import { usePolled } from "./polled";

/** How often they are read again without a change that tells us to: a recording ends a moment after its session. */
const QUIET_MS = 5_000;

/** Recordings, the newest first. */
export interface Recordings {
  items: readonly Recording[];
  /** There are others than these. */
  more: boolean;
  problem: Problem | null;
  reload(): void;
}

const begun = (recording: Recording): string => recording.status.startedAt ?? "";

/** Recordings that a field selector finds; null until they are known. Read again whenever a session changes. */
export function useRecordings(selector: string): Recordings | null {
  const told = sessionVersions(useValue(collection.all).values());
  const { value, problem, reload } = usePolled(() => sorted(selector), `${selector} ${told}`, () => QUIET_MS);
  if (!value && !problem) return null;
  return { ...(value ?? { items: [], more: false }), problem, reload };
}

async function sorted(selector: string): Promise<{ items: Recording[]; more: boolean }> {
  const { items, more } = await listRecordings(selector);
  return { items: items.sort((a, b) => begun(b).localeCompare(begun(a))), more };
}

function sessionVersions(all: Iterable<{ kind: string; metadata: { resourceVersion?: string } }>): string {
  return [...all].filter(({ kind }) => kind === "Session").map(({ metadata }) => metadata.resourceVersion).join();
}
