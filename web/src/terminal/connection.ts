import { backoff } from "../api/backoff";
import * as close from "../api/close";
import { isOpen, type Socket } from "../api/socket";
import type { Exit, Role } from "../api/types";
import { pieces, type ClientFrame, type ServerFrame, type Size } from "./protocol";

/** `waiting`: the connection broke and comes back by itself. The last four are final. */
export type Link = "connecting" | "live" | "waiting" | "ended" | "gone" | "refused" | "signed-out";

/** What the connection tells; `shown` must be called when the output is on the screen. */
export interface Sink {
  link(link: Link): void;
  /** Once per attach, before any output; `replaying` when history comes first. */
  attached(attach: { role: Role; tty: Size | null; offset: number; first: boolean; replaying: boolean }): void;
  output(data: Uint8Array, shown: () => void): void;
  /** History is over: called in order with the output, once per attach that had some. */
  replayed(): void;
  gap(from: number, to: number): void;
  resize(size: Size): void;
  role(role: Role, controller: boolean): void;
  exit(exit: Exit): void;
  failure(message: string): void;
  /** Input that was sent when the connection broke, and of which nobody knows whether it arrived. */
  unconfirmed(bytes: number): void;
}

/** Why a socket that never opened failed; the handshake itself does not tell a browser. */
export type Verdict = "retry" | "gone" | "refused" | "signed-out";

export interface Wiring {
  dial(query: string): Promise<Socket>;
  examine(): Promise<Verdict>;
}

const ACK_EVERY = 64 * 1024;
const ACK_DELAY_MS = 50;
const STEADY_MS = 2_000;

/** One viewer of one session: counts offsets, acknowledges what is shown, and comes back by itself. */
export class Connection {
  private socket: Socket | null = null;
  private link: Link = "connecting";
  private role: Role = "view";
  private offset: number | null = null;
  private history = 0;
  private shown = 0;
  private acked = 0;
  private sent = 0;
  private received = 0;
  private attempt = 0;
  private exited = false;
  private stopped = false;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private ackTimer: ReturnType<typeof setTimeout> | undefined;
  private steady: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly wiring: Wiring,
    private readonly sink: Sink,
  ) {}

  start(): void {
    void this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.clearTimers();
    this.socket?.close(1000);
    this.socket = null;
  }

  /** Send input, cut as the server wants it; false when it may not or cannot go out now, and nothing of it went. */
  input(data: Uint8Array): boolean {
    const socket = this.usable();
    if (!socket || this.role !== "control") return false;
    for (const piece of pieces(data)) socket.send(piece);
    this.sent += data.length;
    return true;
  }

  resize(size: Size): void {
    if (this.role === "control") this.control({ type: "resize", ...size });
  }

  take(): void {
    this.control({ type: "take" });
  }

  /**
   * Somebody looks again, or the network is back: try now instead of later. A connection that died unnoticed (a closed lid)
   * shows itself when something is sent.
   */
  wake(): void {
    if (this.link === "live") return this.ack(true);
    if (this.retry === undefined) return;
    clearTimeout(this.retry);
    this.retry = undefined;
    void this.connect();
  }

  private control(frame: ClientFrame): void {
    this.usable()?.send(JSON.stringify(frame));
  }

  private usable(): Socket | null {
    return this.socket && this.link === "live" && isOpen(this.socket) ? this.socket : null;
  }

  private async connect(): Promise<void> {
    let socket: Socket;
    try {
      socket = await this.wiring.dial(this.query());
    } catch {
      return this.failed();
    }
    if (this.stopped) return socket.close(1000);
    this.socket = socket;
    socket.onmessage = (event) => this.socket === socket && this.message(event.data as ArrayBuffer | string);
    socket.onclose = (event) => this.socket === socket && this.closed(event.code);
  }

  // Who typed before the break goes on typing; who watched goes on watching. The first time the server decides.
  private query(): string {
    return this.offset === null ? "" : `?since=${this.offset}&mode=${this.role}`;
  }

  private message(data: ArrayBuffer | string): void {
    if (typeof data === "string") this.frame(JSON.parse(data) as ServerFrame);
    else this.bytes(new Uint8Array(data));
  }

  private frame(frame: ServerFrame): void {
    switch (frame.type) {
      case "attached":
        return this.attached(frame);
      case "input":
        this.received = frame.received;
        return;
      case "gap":
        return this.gap(frame.from, frame.to);
      case "resize":
        return this.sink.resize({ cols: frame.cols, rows: frame.rows });
      case "role":
        this.role = frame.role;
        return this.sink.role(frame.role, frame.controller ?? false);
      case "exit":
        this.exited = true;
        return this.sink.exit(frame);
      case "error":
        return this.sink.failure(frame.message);
    }
  }

  private attached(frame: Extract<ServerFrame, { type: "attached" }>): void {
    // A server that starts over before what we have would repeat it: then the screen starts over too.
    const first = this.offset === null || frame.offset < this.offset;
    const before = first ? 0 : (this.offset ?? 0);
    if (first) this.shown = this.acked = 0;
    this.offset = frame.offset;
    this.history = frame.end ?? frame.offset;
    this.shown = Math.max(this.shown, frame.offset);
    this.role = frame.role;
    this.sent = this.received = 0;
    const replaying = this.history > frame.offset;
    // An attempt counts as good only after a while: a server that accepts and drops us at once must not be hammered.
    this.steady = setTimeout(() => (this.attempt = 0), STEADY_MS);
    this.setLink("live");
    this.sink.attached({ role: frame.role, tty: frame.tty ?? null, offset: frame.offset, first, replaying });
    if (frame.offset > before) this.sink.gap(before, frame.offset);
    this.ack(true);
  }

  private gap(from: number, to: number): void {
    this.sink.gap(from, to);
    const wasHistory = this.inHistory();
    this.offset = to;
    if (wasHistory && !this.inHistory()) this.sink.replayed();
  }

  private bytes(data: Uint8Array): void {
    const left = this.history - (this.offset ?? 0);
    if (left > 0 && data.length > left) {
      this.show(data.subarray(0, left));
      this.show(data.subarray(left));
    } else {
      this.show(data);
    }
  }

  private show(data: Uint8Array): void {
    const wasHistory = this.inHistory();
    const end = (this.offset ?? 0) + data.length;
    this.offset = end;
    this.sink.output(data, () => this.wasShown(end));
    if (wasHistory && !this.inHistory()) this.sink.replayed();
  }

  private inHistory(): boolean {
    return (this.offset ?? 0) < this.history;
  }

  private wasShown(end: number): void {
    this.shown = Math.max(this.shown, end);
    if (this.shown - this.acked >= ACK_EVERY) this.ack();
    else this.ackTimer ??= setTimeout(() => this.ack(), ACK_DELAY_MS);
  }

  private ack(again = false): void {
    clearTimeout(this.ackTimer);
    this.ackTimer = undefined;
    if (this.link !== "live" || (!again && this.shown === this.acked)) return;
    this.acked = this.shown;
    this.control({ type: "ack", offset: this.shown });
  }

  private closed(code: number): void {
    const wasOpen = this.link === "live";
    const lost = this.sent - this.received;
    this.socket = null;
    this.clearTimers();
    if (this.exited || code === close.ENDED) return this.setLink("ended");
    if (code === close.GONE) return this.setLink("gone");
    if (code === close.FORBIDDEN) return this.setLink("refused");
    if (code === close.UNAUTHENTICATED) return this.setLink("signed-out");
    if (wasOpen) this.comeBack();
    else void this.failed();
    if (wasOpen && lost > 0) this.sink.unconfirmed(lost);
  }

  private async failed(): Promise<void> {
    if (this.stopped) return;
    const verdict = await this.wiring.examine().catch((): Verdict => "retry");
    if (this.stopped) return;
    if (verdict === "retry") this.comeBack();
    else this.setLink(verdict);
  }

  private comeBack(): void {
    this.setLink("waiting");
    this.retry = setTimeout(() => {
      this.retry = undefined;
      void this.connect();
    }, backoff(this.attempt));
    this.attempt += 1;
  }

  private clearTimers(): void {
    for (const timer of [this.retry, this.ackTimer, this.steady]) clearTimeout(timer);
    this.retry = this.ackTimer = undefined;
  }

  private setLink(link: Link): void {
    if (link === this.link) return;
    this.link = link;
    this.sink.link(link);
  }
}
