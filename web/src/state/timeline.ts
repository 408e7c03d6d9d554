import { getTimeline } from "../api/resources";
import type { Agent, Cause } from "../api/types";
import { useSessions } from "./live";
import { usePolled } from "./polled";

/** How often it is read again without a change that tells us to: who attaches to a terminal changes no row. */
const QUIET_MS = 5_000;

/** What happened to an agent, the newest first; null until it is known. Read again with every change that we are told of. */
export function useTimeline(agent: Agent): Cause[] | null {
  const { uid, name } = agent.metadata;
  const told = [agent, ...useSessions(name)].map((thing) => thing.metadata.resourceVersion).join();
  const read = async (): Promise<Cause[]> => (await getTimeline(uid ?? name)).reverse();
  // when it cannot be read the feed says that the server is gone, and what was read stays
  return usePolled(read, `${uid} ${told}`, () => QUIET_MS).value;
}
