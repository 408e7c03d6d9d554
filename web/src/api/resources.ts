import { request } from "./http";
import type { Agent, Cause, Plugin, Session, Status } from "./types";

const at = (name: string): string => encodeURIComponent(name);

export interface NewAgent {
  name: string;
  runtime: string;
  executor?: string;
  folder?: string;
}

export function createAgent(given: NewAgent): Promise<Agent> {
  const workspace = given.folder ? { folder: given.folder } : undefined;
  const spec = { runtime: given.runtime, executor: given.executor, workspace };
  return request("POST", "agents", { metadata: { name: given.name }, spec });
}

export type AgentVerb = "start" | "stop" | "restart";

export function actOnAgent(name: string, verb: AgentVerb): Promise<Agent> {
  return request("POST", `agents/${at(name)}/${verb}`);
}

export function deleteAgent(name: string): Promise<unknown> {
  return request("DELETE", `agents/${at(name)}`);
}

/** What happened to the agent with this uid, or the newest of this name; the newest cause last. */
export async function getTimeline(agent: string): Promise<Cause[]> {
  return (await request<{ items: Cause[] }>("GET", `agents/${at(agent)}/timeline`)).items;
}

export function openSession(agent: string, command?: string[]): Promise<Session> {
  return request("POST", "sessions", { spec: { agent, ...(command ? { command } : {}) } });
}

export function getSession(name: string): Promise<Session> {
  return request("GET", `sessions/${at(name)}`);
}

export function endSession(name: string): Promise<unknown> {
  return request("DELETE", `sessions/${at(name)}`);
}

export async function listPlugins(): Promise<Plugin[]> {
  return (await request<{ items: Plugin[] }>("GET", "plugins")).items;
}

export function getStatus(): Promise<Status> {
  return request("GET", "status");
}
