import type { ComponentChildren, Ref } from "preact";
import { NotSandbox } from "../parts/executor";
import { Expand, Larger, Reader, Smaller } from "../parts/icons";
import { useAgent } from "../state/live";
import { useValue } from "../state/observable";
import { links } from "../state/route";
import { t } from "../strings";
import { enterFullScreen } from "./full-screen";
import { changeFontSize, readerMode, toggleReaderMode } from "./preferences";
import type { Screen } from "./screen";
import type { Viewer, ViewerState } from "./viewer";

interface Given {
  ref: Ref<HTMLDivElement>;
  name: string;
  agent: string | null;
  title: string;
  state: ViewerState;
  viewer: Viewer;
  screen: Screen | null;
}

/** Above the terminal: where we are, who types, and what can be set. */
export function Bar({ ref, name, agent, title, state, viewer, screen }: Given) {
  const isolated = useAgent(agent ?? "")?.status.isolated;
  return (
    <div class="terminal-bar" ref={ref}>
      <nav class="crumbs" aria-label={t.terminal.label(name)}>
        <a href={agent ? links.agent(agent) : links.agents}>{agent ?? t.nav.agents}</a>
        <span aria-hidden="true">/</span>
        <span class="here">{name}</span>
      </nav>
      {isolated === false && <NotSandbox />}
      {title && (
        <span class="terminal-title" data-testid="terminal-title" dir="auto">
          {title}
        </span>
      )}
      <span class="grow" />
      {state.link === "live" && state.role === "view" && !state.exit && <Watching state={state} viewer={viewer} screen={screen} />}
      <LinkStatus state={state} />
      <TextTools>
        <button class="icon-button" onClick={enterFullScreen} title={t.terminal.fullScreen} aria-label={t.terminal.fullScreen}>
          <Expand />
        </button>
      </TextTools>
    </div>
  );
}

function Watching({ state, viewer, screen }: { state: ViewerState; viewer: Viewer; screen: Screen | null }) {
  const take = (): void => {
    viewer.takeOver();
    screen?.terminal.focus();
  };
  return (
    <span class="watching" role="status" data-testid="watching">
      <span>
        {t.terminal.watching} <span class="watching-more">{state.controlled ? t.terminal.others : t.terminal.nobody}</span>
      </span>
      <button class="button button-small button-primary" data-testid="take-over" onClick={take}>
        {t.terminal.takeOver}
      </button>
    </span>
  );
}

function statusOf({ link, role, restoring, exit }: ViewerState): keyof typeof t.terminal.status {
  if (exit || link === "ended") return "ended";
  if (link === "live") return restoring ? "restoring" : role;
  return link === "signed-out" ? "refused" : link;
}

function LinkStatus({ state }: { state: ViewerState }) {
  const status = statusOf(state);
  return (
    <span class={`link link-${status}`} role="status" data-testid="terminal-status" data-status={status}>
      <span class="dot" aria-hidden="true" />
      <span class="link-text">{t.terminal.status[status]}</span>
    </span>
  );
}

/** How the terminal's text is shown. */
export function TextTools({ children }: { children?: ComponentChildren }) {
  const reading = useValue(readerMode);
  return (
    <span class="tools">
      <button class="icon-button" onClick={() => changeFontSize(-1)} title={t.terminal.smaller} aria-label={t.terminal.smaller}>
        <Smaller />
      </button>
      <button class="icon-button" onClick={() => changeFontSize(1)} title={t.terminal.larger} aria-label={t.terminal.larger}>
        <Larger />
      </button>
      <button class="icon-button" onClick={toggleReaderMode} aria-pressed={reading} title={t.terminal.reader} aria-label={t.terminal.reader}>
        <Reader />
      </button>
      {children}
    </span>
  );
}
