import { openSession } from "../api/resources";
import { collection } from "../state/live";
import { go, links } from "../state/route";

/** Open a new terminal of an agent and go there. */
export async function enterTerminal(agent: string, command?: string[]): Promise<void> {
  const session = await openSession(agent, command);
  collection.put(session);
  go(links.session(session.metadata.name));
}
