import { backoff } from "./backoff";
import * as close from "./close";
import { dial } from "./dial";
import { signedOut } from "./http";
import { isOpen, type Socket } from "./socket";
import type { Resource } from "./types";

const PROTOCOL = "sac.events.v1";
const KINDS = ["Agent", "Session"];
/** A break shorter than this is not worth a word. */
const PATIENCE_MS = 800;

interface Sink {
  restart(): void;
  put(object: Resource): void;
  remove(object: Resource): void;
  synced(): void;
}

type State = "loading" | "live" | "lost";

/** Follows `sac.events.v1` for ever: after a break from where it was, or from a fresh list when that is too old. */
export class Feed {
  private socket: Socket | null = null;
  private since: string | null = null;
  private attempt = 0;
  private run = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private worry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly sink: Sink,
    private readonly tell: (state: State) => void,
  ) {}

  start(): void {
    this.stop();
    void this.connect(this.run);
  }

  stop(): void {
    this.run += 1;
    clearTimeout(this.retry);
    clearTimeout(this.worry);
    this.retry = this.worry = undefined;
    this.since = null;
    this.attempt = 0;
    this.socket?.close();
    this.socket = null;
  }

  /** Somebody looks again, or the network is back: do not wait for the next try. */
  wake(): void {
    if (this.socket || this.retry === undefined) return;
    clearTimeout(this.retry);
    this.retry = undefined;
    void this.connect(this.run);
  }

  private async connect(run: number): Promise<void> {
    let socket: Socket;
    try {
      socket = await dial("events", PROTOCOL);
    } catch {
      if (run === this.run) this.lost(run);
      return;
    }
    if (run !== this.run) return socket.close();
    this.socket = socket;
    socket.onopen = () => this.subscribe(socket);
    socket.onmessage = (event) => run === this.run && this.receive(socket, JSON.parse(String(event.data)));
    socket.onclose = (event) => {
      if (run !== this.run) return;
      this.socket = null;
      if (event.code === close.UNAUTHENTICATED) signedOut();
      else this.lost(run);
    };
  }

  private subscribe(socket: Socket): void {
    if (this.since === null) this.sink.restart();
    const since = this.since === null ? {} : { since: this.since };
    if (isOpen(socket)) socket.send(JSON.stringify({ type: "subscribe", kinds: KINDS, ...since }));
  }

  private receive(socket: Socket, event: { type: string; version?: string; object?: Resource }): void {
    if (event.type === "error") return this.refused(socket);
    if (event.type === "synced") this.caughtUp();
    else if (event.type === "DELETED" && event.object) this.sink.remove(event.object);
    else if (event.object) this.sink.put(event.object);
    if (event.version !== undefined && (event.type === "synced" || this.since !== null)) this.since = event.version;
  }

  // Where we were may be too old: then a fresh list. What is refused even so is tried again later.
  private refused(socket: Socket): void {
    if (this.since === null) return socket.close();
    this.since = null;
    this.subscribe(socket);
  }

  private caughtUp(): void {
    this.attempt = 0;
    clearTimeout(this.worry);
    this.worry = undefined;
    this.sink.synced();
    this.tell("live");
  }

  private lost(run: number): void {
    this.worry ??= setTimeout(() => run === this.run && this.tell("lost"), PATIENCE_MS);
    this.retry = setTimeout(() => {
      this.retry = undefined;
      void this.connect(run);
    }, backoff(this.attempt));
    this.attempt += 1;
  }
}
