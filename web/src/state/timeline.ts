import { useEffect, useState } from "preact/hooks";
import { getTimeline } from "../api/resources";
import type { Agent, Cause } from "../api/types";
import { useSessions } from "./live";

/** How often it is read again without a change that tells us to: who attaches to a terminal changes no row. */
const QUIET_MS = 5_000;

/** What happened to an agent, the newest first; null until it is known. Read again with every change that we are told of. */
export function useTimeline(agent: Agent): Cause[] | null {
  const [causes, setCauses] = useState<Cause[] | null>(null);
  const { uid, name } = agent.metadata;
  const told = [agent, ...useSessions(name)].map((thing) => thing.metadata.resourceVersion).join();
  useEffect(() => {
    let gone = false;
    const read = (): void => {
      if (document.hidden) return;
      getTimeline(uid ?? name).then(
        (items) => {
          if (!gone) setCauses(items.reverse());
        },
        () => undefined, // the feed says that the server is gone; what was read stays
      );
    };
    read();
    const timer = setInterval(read, QUIET_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [uid, name, told]);
  return causes;
}
