import { create, request } from "./http";
import { stream } from "./streams";
import type { Agent, Cause, Plugin, Probe, Recording, Session, Status, Target } from "./types";

const at = (name: string): string => encodeURIComponent(name);

/** An agent as it is declared; what is undefined is left to the server. */
export interface NewAgent {
  name: string;
  spec: {
    runtime: string;
    executor?: string | { name: string; target: string };
    workspace?: { folder?: string; git?: { url: string } };
    image?: string;
    command?: string[];
    env?: Record<string, string>;
    resources?: { cpu?: number; memory?: number };
    options?: Record<string, unknown>;
    runtimeOptions?: Record<string, unknown>;
  };
}

export function createAgent({ name, spec }: NewAgent): Promise<Agent> {
  return create("agents", { metadata: { name }, spec });
}

export type AgentVerb = "start" | "stop" | "restart";

export function actOnAgent(name: string, verb: AgentVerb): Promise<Agent> {
  return request("POST", `agents/${at(name)}/${verb}`);
}

/** A link that opens a port of an agent in this browser, once. */
export async function linkToPort(name: string, port: number): Promise<string> {
  return (await request<{ url: string }>("POST", `agents/${at(name)}/ports/${port}/links`)).url;
}

/** What a delete is asked besides: volumes stay, or the agent goes whether its executor answers or not. */
export type DeleteFlag = "keepVolumes" | "abandon";

export function deleteAgent(name: string, flag: DeleteFlag | null): Promise<unknown> {
  return request("DELETE", `agents/${at(name)}${flag ? `?${flag}=true` : ""}`);
}

/** What happened to the agent with this uid, or the newest of this name; the newest cause last. */
export async function getTimeline(agent: string): Promise<Cause[]> {
  return (await request<{ items: Cause[] }>("GET", `agents/${at(agent)}/timeline`)).items;
}

export function openSession(agent: string, command?: string[]): Promise<Session> {
  return create("sessions", { spec: { agent, ...(command ? { command } : {}) } });
}

export function getSession(name: string): Promise<Session> {
  return request("GET", `sessions/${at(name)}`);
}

export function endSession(name: string): Promise<unknown> {
  return request("DELETE", `sessions/${at(name)}`);
}

const PAGE = 500;
const PAGES = 4;

/** Recordings that a field selector finds, of an empty one all; at most 2,000, and whether there are more. */
export async function listRecordings(selector: string): Promise<{ items: Recording[]; more: boolean }> {
  const items: Recording[] = [];
  let next: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const query = new URLSearchParams({ limit: String(PAGE), fieldSelector: selector, ...(next ? { continue: next } : {}) });
    const found = await request<{ items: Recording[]; metadata: { continue?: string } }>("GET", `recordings?${query}`);
    items.push(...found.items);
    next = found.metadata.continue;
    if (!next) break;
  }
  return { items, more: next !== undefined };
}

export function getRecording(name: string): Promise<Recording> {
  return request("GET", `recordings/${at(name)}`);
}

export function deleteRecording(name: string): Promise<unknown> {
  return request("DELETE", `recordings/${at(name)}`);
}

/** A recording as asciicast v2, as it comes. */
export function readCast(name: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  return stream(`recordings/${at(name)}/cast`, signal);
}

export async function listPlugins(): Promise<Plugin[]> {
  return (await request<{ items: Plugin[] }>("GET", "plugins")).items;
}

/** The names of the secrets that we may use, never their values. */
export async function listSecrets(): Promise<string[]> {
  const found = await request<{ items: { metadata: { name: string } }[] }>("GET", "secrets");
  return found.items.map((secret) => secret.metadata.name);
}

export async function listTargets(): Promise<Target[]> {
  return (await request<{ items: Target[] }>("GET", "targets")).items;
}

/** A target as it is declared. */
export interface NewTarget {
  name: string;
  spec: { executor: string; settings: Record<string, unknown> };
}

export function createTarget({ name, spec }: NewTarget): Promise<Target> {
  return create("targets", { metadata: { name }, spec });
}

/** A place that is away is told so by who waits for it. */
const PROBING_MS = 130_000;

export function testTarget(name: string): Promise<Probe> {
  return request("POST", `targets/${at(name)}/test`, undefined, PROBING_MS);
}

/** From now on agents that name this executor alone go there; `default` is the place that each executor has by itself. */
export function setDefaultTarget(name: string, executor: string): Promise<unknown> {
  return request("POST", `targets/${at(name)}/set-default?${new URLSearchParams({ executor })}`);
}

export function setSchedulable(name: string, schedulable: boolean): Promise<Target> {
  return request("PATCH", `targets/${at(name)}`, { spec: { schedulable } });
}

export function deleteTarget(name: string): Promise<unknown> {
  return request("DELETE", `targets/${at(name)}`);
}

/** A check of all of SAC waits for places that do not answer. */
const CHECKING_MS = 60_000;

export function getStatus(): Promise<Status> {
  return request("GET", "status", undefined, CHECKING_MS);
}
