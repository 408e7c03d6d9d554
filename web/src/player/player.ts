import { fromFailure, type Problem } from "../api/problem";
import { readCast } from "../api/resources";
import { Observable } from "../state/observable";
import type { Screen } from "../terminal/screen";
import { CastReader, NoCast } from "./cast";
import { highlight } from "./highlight";
import { Playback } from "./playback";
import { Transcript, type Hit } from "./transcript";

/** How much of a recording the page holds. */
export const MOST_TEXT = 128 * 1024 * 1024;

/** `gaps`: times at which output is missing. `problem`: why the rest could not be read. */
export interface Read {
  state: "reading" | "read" | "too-large" | "no-cast" | "failed";
  problem: Problem | null;
  gaps: readonly number[];
}

export interface Search {
  wanted: string;
  hits: readonly Hit[];
  /** The hit that is shown. */
  at: number | null;
}

const nothing: Search = { wanted: "", hits: [], at: null };

/** Reads one recording and plays it on a screen; finds text in it. */
export class Player {
  readonly read = new Observable<Read>({ state: "reading", problem: null, gaps: [] });
  readonly search = new Observable<Search>(nothing);
  readonly playback: Playback;
  private readonly reader = new CastReader();
  private readonly transcript = new Transcript();
  private readonly leaving = new AbortController();
  private known = 0;

  constructor(
    private readonly name: string,
    private readonly screen: Screen,
  ) {
    this.playback = new Playback(this.reader.cast, {
      reset: (size) => {
        screen.restart();
        screen.after(() => this.resize(size));
      },
      write: (text, shown) => screen.writeText(text, shown),
      resize: (size) => screen.after(() => this.resize(size)),
      cut: () => screen.cut(),
    });
  }

  /** Read to the end, playing meanwhile. */
  async open(): Promise<void> {
    const state = await this.readAll();
    this.reader.end();
    this.playback.grown();
    if (this.leaving.signal.aborted) return;
    this.read.set({ ...this.read.value, ...state });
    this.look(this.search.value.wanted);
  }

  close(): void {
    this.leaving.abort();
    this.playback.close();
  }

  /** Look for a text; nothing is shown yet. */
  look(wanted: string): void {
    this.search.set({ wanted, hits: this.transcript.find(wanted), at: null });
  }

  /** Show the next hit, or the one before; at first the one next to where we are. */
  async jump(by: 1 | -1): Promise<void> {
    const { hits, at, wanted } = this.search.value;
    if (hits.length === 0) return;
    const index = at === null ? this.nearest(by) : (at + by + hits.length) % hits.length;
    this.playback.pause();
    this.search.set({ ...this.search.value, at: index });
    await this.playback.seek(hits[index] ?? 0);
    this.screen.after(() => highlight(this.screen.terminal, wanted));
  }

  private nearest(by: 1 | -1): number {
    const { hits } = this.search.value;
    const { time } = this.playback.state.value;
    if (by === 1) return Math.max(0, hits.findIndex((hit) => hit >= time));
    const before = hits.filter((hit) => hit < time).length;
    return (before || hits.length) - 1;
  }

  private async readAll(): Promise<Partial<Read>> {
    let bytes = 0;
    try {
      for await (const piece of readCast(this.name, this.leaving.signal)) {
        bytes += piece.length;
        if (bytes > MOST_TEXT) return { state: "too-large" };
        this.take(piece);
      }
      return { state: "read" };
    } catch (failure) {
      if (failure instanceof NoCast) return { state: "no-cast" };
      return { state: "failed", problem: fromFailure(failure) };
    }
  }

  private take(piece: Uint8Array): void {
    const first = this.known === 0 && this.reader.cast.events.length === 0;
    this.reader.add(piece);
    const { events, size } = this.reader.cast;
    if (first) this.screen.after(() => this.resize(size));
    const gaps: number[] = [];
    for (; this.known < events.length; this.known += 1) {
      const event = events[this.known];
      if (event?.code === "o") this.transcript.add(event.at, event.data);
      if (event?.code === "m") gaps.push(event.at);
    }
    this.playback.grown();
    if (gaps.length > 0) this.read.set({ ...this.read.value, gaps: [...this.read.value.gaps, ...gaps] });
  }

  private resize(size: { cols: number; rows: number }): void {
    this.screen.resize(size);
    this.screen.shrink();
  }
}
