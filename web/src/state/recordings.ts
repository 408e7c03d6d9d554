import { useEffect, useState } from "preact/hooks";
import { fromFailure, type Problem } from "../api/problem";
import { listRecordings } from "../api/resources";
import type { Recording } from "../api/types";
import { collection } from "./live";
import { useValue } from "./observable";

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
  const [found, setFound] = useState<Omit<Recordings, "reload"> | null>(null);
  const [wish, setWish] = useState(0);
  const told = sessionVersions(useValue(collection.all).values());
  useEffect(() => {
    let gone = false;
    const read = async (): Promise<void> => {
      if (document.hidden) return;
      try {
        const { items, more } = await listRecordings(selector);
        items.sort((a, b) => begun(b).localeCompare(begun(a)));
        if (!gone) setFound({ items, more, problem: null });
      } catch (failure) {
        if (!gone) setFound((before) => ({ items: [], more: false, ...before, problem: fromFailure(failure) }));
      }
    };
    void read();
    const timer = setInterval(() => void read(), QUIET_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [selector, told, wish]);
  return found && { ...found, reload: () => setWish(wish + 1) };
}

function sessionVersions(all: Iterable<{ kind: string; metadata: { resourceVersion?: string } }>): string {
  return [...all].filter(({ kind }) => kind === "Session").map(({ metadata }) => metadata.resourceVersion).join();
}
