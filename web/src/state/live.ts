import { Feed } from "../api/events";
import type { Agent, Resource, Session } from "../api/types";
import { whenAwake } from "./awake";
import { Collection } from "./collection";
import { Observable, useValue } from "./observable";

/** What the console shows, kept up to date by the event feed. */
export const collection = new Collection();
export type FeedState = "loading" | "live" | "lost";
export const feedState = new Observable<FeedState>("loading");

const feed = new Feed(collection, (state) => feedState.set(state));
whenAwake(() => feed.wake());

export function startFeed(): void {
  feed.start();
}

export function stopFeed(): void {
  feed.stop();
  collection.clear();
  feedState.set("loading");
}

function ofKind<T extends Resource>(all: ReadonlyMap<string, Resource>, kind: T["kind"]): T[] {
  return [...all.values()].filter((object): object is T => object.kind === kind);
}

export function useAgents(): Agent[] {
  const agents = ofKind<Agent>(useValue(collection.all), "Agent");
  return agents.sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
}

export function useAgent(name: string): Agent | undefined {
  return useAgents().find((agent) => agent.metadata.name === name);
}

/** An agent's sessions, the newest first. */
export function useSessions(agent: string): Session[] {
  const born = (session: Session): string => session.metadata.creationTimestamp ?? "";
  return ofKind<Session>(useValue(collection.all), "Session")
    .filter((session) => session.spec.agent === agent)
    .sort((a, b) => born(b).localeCompare(born(a)));
}

export function useSession(name: string): Session | undefined {
  return ofKind<Session>(useValue(collection.all), "Session").find((session) => session.metadata.name === name);
}

/** Running sessions by agent. */
export function useSessionCounts(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const session of ofKind<Session>(useValue(collection.all), "Session")) {
    if (session.status.phase !== "Running") continue;
    counts.set(session.spec.agent, (counts.get(session.spec.agent) ?? 0) + 1);
  }
  return counts;
}
