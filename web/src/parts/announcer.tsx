import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../strings";
import { useAgents } from "../state/live";

/** Tells screen readers when an agent's phase changes, wherever on the page it is shown. */
export function Announcer() {
  const agents = useAgents();
  const known = useRef(new Map<string, string>());
  const [text, setText] = useState("");
  useEffect(() => {
    const changed = agents.filter((agent) => {
      const before = known.current.get(agent.metadata.name);
      return before !== undefined && before !== agent.status.phase;
    });
    known.current = new Map(agents.map((agent) => [agent.metadata.name, agent.status.phase]));
    const told = changed.slice(0, 3).map((agent) => t.agents.announce(agent.metadata.name, phaseName(agent.status.phase)));
    if (told.length > 0) setText(told.join(". "));
  });
  return (
    <div class="hidden" aria-live="polite" data-testid="announcer">
      {text}
    </div>
  );
}

export function phaseName(phase: string): string {
  return t.phases[phase] ?? phase;
}
