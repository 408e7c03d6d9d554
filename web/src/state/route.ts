import { Observable } from "./observable";

export type Route =
  | { page: "agents" }
  | { page: "new" }
  | { page: "agent"; name: string }
  | { page: "terminal"; agent: string }
  | { page: "session"; name: string }
  | { page: "recordings" }
  | { page: "recording"; name: string }
  | { page: "targets" }
  | { page: "new-target" }
  | { page: "target"; name: string };

/** The page that a fragment names; what we do not know is the list. */
export function parseRoute(hash: string): Route {
  const [first, second, third] = hash.replace(/^#\/?/, "").split("/").map(decode);
  if (first === "new") return { page: "new" };
  if (first === "agents" && second) {
    return third === "new" ? { page: "terminal", agent: second } : { page: "agent", name: second };
  }
  if (first === "sessions" && second) return { page: "session", name: second };
  if (first === "targets") return second ? { page: "target", name: second } : { page: "targets" };
  if (first === "new-target") return { page: "new-target" };
  if (first === "recordings") return second ? { page: "recording", name: second } : { page: "recordings" };
  return { page: "agents" };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const links = {
  agents: "#/agents",
  create: "#/new",
  agent: (name: string) => `#/agents/${encodeURIComponent(name)}`,
  terminal: (agent: string) => `#/agents/${encodeURIComponent(agent)}/new`,
  session: (name: string) => `#/sessions/${encodeURIComponent(name)}`,
  recordings: "#/recordings",
  targets: "#/targets",
  createTarget: "#/new-target",
  target: (name: string) => `#/targets/${encodeURIComponent(name)}`,
  recording: (name: string) => `#/recordings/${encodeURIComponent(name)}`,
};

export const route = new Observable<Route>(parseRoute(location.hash));
addEventListener("hashchange", () => route.set(parseRoute(location.hash)));

export function go(link: string): void {
  location.hash = link;
}
