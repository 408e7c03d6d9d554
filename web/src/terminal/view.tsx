import { useEffect, useRef, useState } from "preact/hooks";
import { signedOut } from "../api/http";
import type { Session } from "../api/types";
import { Banner } from "../parts/banner";
import { useTitle } from "../parts/title";
import { useSession } from "../state/live";
import { useValue } from "../state/observable";
import { theme } from "../state/theme";
import { t } from "../strings";
import { Bar } from "./bar";
import { ExitPanel, GonePanel } from "./exit-panel";
import { CopyOffer, Notices } from "./notices";
import { fontSize, readerMode } from "./preferences";
import { Screen } from "./screen";
import { themes } from "./themes";
import { Viewer } from "./viewer";

/** What the program in the terminal said to the page around it. */
interface Said {
  title: string;
  clipboard: string | null;
  link: string | null;
}

const nothing: Said = { title: "", clipboard: null, link: null };

/** A session's terminal with all that belongs around it. */
export function TerminalView({ session: name }: { session: string }) {
  const host = useRef<HTMLDivElement>(null);
  const bar = useRef<HTMLDivElement>(null);
  const [viewer] = useState(() => new Viewer(name));
  const [said, setSaid] = useState(nothing);
  const state = useValue(viewer.state);
  useTitle(said.title || name);
  const session = useLastKnown(useSession(name));
  const screen = useScreen(viewer, host, bar, (part) => setSaid((before) => ({ ...before, ...part })));
  useEffect(() => {
    if (state.link === "signed-out") signedOut();
  }, [state.link]);
  const agent = session?.spec.agent ?? null;
  const finished = state.exit !== null || state.link === "ended";
  return (
    <div class="terminal-page">
      <Bar ref={bar} name={name} agent={agent} title={said.title} state={state} viewer={viewer} screen={screen} />
      <div class="terminal-stage">
        <div class={`terminal-host terminal-${state.role}`} data-testid="terminal" ref={host} role="group" aria-label={t.terminal.label(name)} />
        <div class="terminal-over">
          {state.link === "waiting" && <Banner tone="warn">{t.terminal.lost}</Banner>}
          {state.link === "refused" && <Banner tone="bad">{t.terminal.refused}</Banner>}
          <Notices notices={state.notices} onClose={(kind) => viewer.dismiss(kind)} />
          <CopyOffer text={said.clipboard} onClose={() => setSaid((before) => ({ ...before, clipboard: null }))} />
          {state.link === "gone" && <GonePanel agent={agent} />}
        </div>
      </div>
      {finished && <ExitPanel exit={state.exit ?? session?.status.exit ?? null} agent={agent} session={session} />}
      <footer class="terminal-foot">
        <span class="terminal-link">{said.link ?? t.terminal.help}</span>
        <span class="grow" />
        {state.size && <span data-testid="terminal-size">{t.terminal.size(state.size.cols, state.size.rows)}</span>}
      </footer>
    </div>
  );
}

// A session that is deleted while it is shown leaves the collection; its page still says whose it was.
function useLastKnown(session: Session | undefined): Session | undefined {
  const last = useRef(session);
  if (session) last.current = session;
  return last.current;
}

function useScreen(
  viewer: Viewer,
  host: { current: HTMLDivElement | null },
  bar: { current: HTMLDivElement | null },
  say: (part: Partial<Said>) => void,
): Screen | null {
  const [screen, setScreen] = useState<Screen | null>(null);
  useEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    const options = { theme: themes[theme.value], fontSize: fontSize.value, screenReaderMode: readerMode.value };
    const made = new Screen(element, {
      input: (data) => viewer.type(data),
      dropped: () => viewer.dropped(),
      title: (title) => say({ title }),
      clipboard: (clipboard) => say({ clipboard }),
      hover: (link) => say({ link }),
      leave: () => bar.current?.querySelector<HTMLElement>("a, button")?.focus(),
    }, options);
    const resized = new ResizeObserver(() => viewer.hostResized());
    resized.observe(element);
    const stops = [
      theme.subscribe((now) => (made.terminal.options.theme = themes[now])),
      fontSize.subscribe((size) => (made.grow(size), viewer.hostResized())),
      readerMode.subscribe((on) => (made.terminal.options.screenReaderMode = on)),
    ];
    setScreen(made);
    viewer.open(made);
    made.terminal.focus();
    return () => {
      resized.disconnect();
      for (const stop of stops) stop();
      viewer.close();
      made.dispose();
    };
  }, [viewer]);
  return screen;
}
