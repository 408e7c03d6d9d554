import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../api/problem";
import { getRecording } from "../api/resources";
import type { Recording } from "../api/types";
import { Banner } from "../parts/banner";
import { exitText } from "../parts/exit";
import { Again } from "../parts/icons";
import { Phase } from "../parts/phase";
import { sizeText } from "../parts/size";
import { useTitle } from "../parts/title";
import { useValue } from "../state/observable";
import { links } from "../state/route";
import { theme } from "../state/theme";
import { t } from "../strings";
import { TextTools } from "../terminal/bar";
import { fontSize, readerMode } from "../terminal/preferences";
import { Screen } from "../terminal/screen";
import { themes } from "../terminal/themes";
import { Controls } from "./controls";
import { playerKey } from "./keys";
import { MOST_TEXT, Player, type Read } from "./player";
import { SearchBox } from "./search";

/** A recording: its screen, and what plays it. `again` reads it from the start. */
export function PlayerView({ recording: name, again }: { recording: string; again: () => void }) {
  useTitle(t.player.label(name));
  const host = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const { recording, missing } = useRecording(name);
  const player = usePlayer(name, host);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => root.current?.focus(), []);
  const key = (event: KeyboardEvent): void => {
    if (!player || !playerKey(event, player, () => search.current?.select())) return;
    event.preventDefault();
    event.stopPropagation();
  };
  if (missing) return <Gone name={name} />;
  return (
    <div class="terminal-page player" tabIndex={-1} ref={root} onKeyDownCapture={key}>
      <Head name={name} recording={recording} />
      <div class="terminal-stage">
        <div class="terminal-host terminal-view" data-testid="terminal" ref={host} role="group" aria-label={t.player.label(name)} />
        <div class="terminal-over">{player && <Told player={player} recording={recording} again={again} />}</div>
      </div>
      {player && (
        <div class="player-bar" role="group" aria-label={t.player.controls}>
          <Controls player={player} />
          <SearchBox player={player} input={search} />
        </div>
      )}
      <footer class="terminal-foot">
        <span class="terminal-link">{t.player.help}</span>
      </footer>
    </div>
  );
}

function Head({ name, recording }: { name: string; recording: Recording | null }) {
  return (
    <div class="terminal-bar">
      <nav class="crumbs" aria-label={t.player.label(name)}>
        <a href={links.recordings}>{t.nav.recordings}</a>
        <span aria-hidden="true">/</span>
        <span class="here">{name}</span>
      </nav>
      {recording && <Phase phase={recording.status.phase} testid="recording-phase" />}
      {recording && (
        <span class="terminal-title">
          {[recording.spec.agent, began(recording), ended(recording), recording.spec.command?.join(" ")].filter(Boolean).join(" · ")}
        </span>
      )}
      <span class="grow" />
      <TextTools />
    </div>
  );
}

function began({ status }: Recording): string {
  return status.startedAt ? new Date(status.startedAt).toLocaleString() : "";
}

function ended({ status }: Recording): string {
  if (status.phase === "Interrupted") return t.player.endUnseen;
  return status.exit ? exitText(status.exit) : "";
}

/** What a person should know about what is played. */
function Told({ player, recording, again }: { player: Player; recording: Recording | null; again: () => void }) {
  const read = useValue(player.read);
  const { seeking } = useValue(player.playback.state);
  const [closed, setClosed] = useState<readonly string[]>([]);
  const shown = (what: string, really: boolean): boolean => really && !closed.includes(what);
  const close = (what: string) => () => setClosed([...closed, what]);
  const slow = useLasting(seeking, 300);
  const wrong = wrongText(read);
  return (
    <>
      {(slow || read.state === "reading") && <Banner tone="info">{slow ? t.player.seeking : t.player.reading}</Banner>}
      {wrong && shown("wrong", true) && (
        <Banner tone="bad" testid="player-problem" onClose={close("wrong")}>
          {wrong}
        </Banner>
      )}
      {shown("missed", read.gaps.length > 0) && (
        <Banner tone="warn" testid="player-missed" onClose={close("missed")}>
          {recording?.status.missed ? t.player.missed(sizeText(recording.status.missed)) : t.player.missedSome}
        </Banner>
      )}
      {shown("going on", recording?.status.phase === "Recording" && read.state === "read") && (
        <Banner tone="info" testid="player-going-on" onClose={close("going on")}>
          {t.player.goingOn}{" "}
          <button class="button button-small" data-testid="player-again" onClick={again}>
            <Again /> {t.player.again}
          </button>
        </Banner>
      )}
    </>
  );
}

function wrongText({ state, problem }: Read): string | null {
  if (state === "too-large") return t.player.tooLarge(sizeText(MOST_TEXT));
  if (state === "no-cast") return `${t.player.broken} ${t.player.unreadable}`;
  return state === "failed" ? [t.player.broken, problem?.message, problem?.hint].filter(Boolean).join(" ") : null;
}

/** Whether something holds for longer than a moment. */
function useLasting(now: boolean, milliseconds: number): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!now) return setLasting(false);
    const timer = setTimeout(() => setLasting(true), milliseconds);
    return () => clearTimeout(timer);
  }, [now, milliseconds]);
  return lasting && now;
}

function Gone({ name }: { name: string }) {
  return (
    <div class="empty card" data-testid="recording-gone">
      <h1>{t.player.gone(name)}</h1>
      <p>{t.player.goneLead}</p>
      <a class="button" href={links.recordings}>
        {t.player.back}
      </a>
    </div>
  );
}

function useRecording(name: string): { recording: Recording | null; missing: boolean } {
  const [found, setFound] = useState<{ recording: Recording | null; missing: boolean }>({ recording: null, missing: false });
  useEffect(() => {
    let left = false;
    getRecording(name).then(
      (recording) => !left && setFound({ recording, missing: false }),
      (failure: unknown) => {
        if (!left && failure instanceof Problem && failure.status === 404) setFound({ recording: null, missing: true });
      },
    );
    return () => {
      left = true;
    };
  }, [name]);
  return found;
}

const nothing = (): void => undefined;
const deaf = { input: nothing, dropped: nothing, title: nothing, clipboard: nothing, hover: nothing };

function usePlayer(name: string, host: { current: HTMLDivElement | null }): Player | null {
  const [player, setPlayer] = useState<Player | null>(null);
  useEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    const options = { theme: themes[theme.value], fontSize: fontSize.value, screenReaderMode: readerMode.value };
    const leave = (): void => element.closest(".player")?.querySelector<HTMLElement>("a, button")?.focus();
    const screen = new Screen(element, { ...deaf, leave }, options);
    screen.setInput("silent");
    const made = new Player(name, screen);
    const resized = new ResizeObserver(() => screen.shrink());
    resized.observe(element);
    const stops = [
      theme.subscribe((now) => (screen.terminal.options.theme = themes[now])),
      fontSize.subscribe((size) => (screen.grow(size), screen.shrink())),
      readerMode.subscribe((on) => (screen.terminal.options.screenReaderMode = on)),
    ];
    setPlayer(made);
    void made.open();
    made.playback.play();
    return () => {
      resized.disconnect();
      for (const stop of stops) stop();
      made.close();
      screen.dispose();
    };
  }, [name, host]);
  return player;
}
