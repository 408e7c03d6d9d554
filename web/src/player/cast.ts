import type { Size } from "../terminal/protocol";

/** `o`: output. `r`: the terminal's size from here on. `m`: a mark, here of output that is missing. */
export interface CastEvent {
  at: number;
  code: "o" | "r" | "m";
  data: string;
}

/** A recording that is being read, or was: `duration` in seconds, `whole` once nothing follows. */
export interface Cast {
  size: Size;
  duration: number;
  events: CastEvent[];
  whole: boolean;
}

export class NoCast extends Error {}

/** Makes a cast of the lines of asciicast v2, whose bytes come in pieces. */
export class CastReader {
  readonly cast: Cast = { size: { cols: 80, rows: 24 }, duration: 0, events: [], whole: false };
  private readonly decoder = new TextDecoder();
  private rest = "";
  private begun = false;

  /** Takes the next piece; throws `NoCast`. */
  add(piece: Uint8Array): void {
    const lines = (this.rest + this.decoder.decode(piece, { stream: true })).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.line(line);
  }

  /** Nothing follows, be it that all was read or that reading failed. */
  end(): void {
    this.cast.whole = true;
  }

  private line(line: string): void {
    const value = parsed(line);
    if (this.begun) return this.event(value);
    this.begun = true;
    this.header(value);
  }

  private header(value: unknown): void {
    const head = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
    if (head.version !== 2) throw new NoCast();
    if (typeof head.width === "number" && typeof head.height === "number") {
      this.cast.size = bounded(head.width, head.height);
    }
    if (typeof head.duration === "number") this.cast.duration = head.duration;
  }

  private event(value: unknown): void {
    if (!Array.isArray(value)) throw new NoCast();
    const [at, code, data] = value as unknown[];
    if (typeof at !== "number" || typeof data !== "string") throw new NoCast();
    if (code !== "o" && code !== "r" && code !== "m") return;
    this.cast.events.push({ at, code, data });
    this.cast.duration = Math.max(this.cast.duration, at);
  }
}

/** The size that a resize event tells, if it tells one. */
export function sizeOf(data: string): Size | undefined {
  const found = /^(\d{1,5})x(\d{1,5})$/.exec(data);
  return found ? bounded(Number(found[1]), Number(found[2])) : undefined;
}

function bounded(cols: number, rows: number): Size {
  const bound = (value: number): number => Math.max(2, Math.min(1000, Math.floor(value)));
  return { cols: bound(cols), rows: bound(rows) };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new NoCast();
  }
}
