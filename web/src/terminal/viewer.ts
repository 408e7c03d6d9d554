import { dial } from "../api/dial";
import { Problem } from "../api/problem";
import { getSession } from "../api/resources";
import type { Exit, Role } from "../api/types";
import { whenAwake } from "../state/awake";
import { Observable } from "../state/observable";
import { Connection, type Link, type Sink, type Verdict } from "./connection";
import { PROTOCOL, type Size } from "./protocol";
import type { Screen } from "./screen";

/** What a page shows around the terminal. */
export interface ViewerState {
  link: Link;
  role: Role;
  controlled: boolean;
  restoring: boolean;
  size: Size | null;
  exit: Exit | null;
  notices: readonly Notice[];
}

export type Notice =
  | { kind: "gap"; bytes: number }
  | { kind: "earlier"; bytes: number }
  | { kind: "unconfirmed"; bytes: number }
  | { kind: "not-sent" }
  | { kind: "failure"; message: string };

const RESIZE_MS = 120;

const initial: ViewerState = {
  link: "connecting",
  role: "view",
  controlled: true,
  restoring: true,
  size: null,
  exit: null,
  notices: [],
};

/** Binds one session's connection to a screen: who may type, whose size counts, what to tell. */
export class Viewer implements Sink {
  readonly state = new Observable<ViewerState>(initial);
  private readonly connection: Connection;
  private stopWaking: () => void = () => undefined;
  private screen: Screen | null = null;
  private epoch = 0;
  private resizing: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly session: string) {
    const path = `sessions/${encodeURIComponent(session)}/attach`;
    this.connection = new Connection(
      { dial: (query) => dial(path + query, PROTOCOL), examine: () => this.examine() },
      this,
    );
  }

  open(screen: Screen): void {
    this.screen = screen;
    this.stopWaking = whenAwake(() => this.connection.wake());
    this.connection.start();
  }

  close(): void {
    clearTimeout(this.resizing);
    this.stopWaking();
    this.connection.stop();
  }

  type(data: Uint8Array): void {
    if (this.connection.input(data)) this.dismiss("not-sent");
    else this.dropped();
  }

  dropped(): void {
    this.notify({ kind: "not-sent" });
  }

  takeOver(): void {
    this.connection.take();
  }

  dismiss(kind: Notice["kind"]): void {
    const { notices } = this.state.value;
    if (notices.some((notice) => notice.kind === kind)) {
      this.change({ notices: notices.filter((notice) => notice.kind !== kind) });
    }
  }

  /** The host's size changed: whoever types sets the size, at most eight times a second. */
  hostResized(): void {
    clearTimeout(this.resizing);
    this.resizing = setTimeout(() => this.fit(), RESIZE_MS);
  }

  link(link: Link): void {
    this.change({ link });
    if (link !== "live") this.permit();
  }

  attached({ role, tty, first, replaying }: Parameters<Sink["attached"]>[0]): void {
    this.epoch += 1;
    if (first) this.screen?.restart();
    // A watcher has the session's size; a controller's history is drawn at it, unless our screen has its own already.
    if (tty && (role === "view" || (first && replaying))) this.applySize(tty);
    this.change({ role, controlled: true, restoring: true, size: tty ?? this.state.value.size });
    this.permit();
    if (!replaying) this.replayed();
  }

  output(data: Uint8Array, shown: () => void): void {
    this.screen?.write(data, shown);
  }

  replayed(): void {
    const epoch = this.epoch;
    this.screen?.after(() => epoch === this.epoch && this.ready());
  }

  gap(from: number, to: number): void {
    this.screen?.cut();
    if (from === 0) return this.notify({ kind: "earlier", bytes: to });
    const before = this.state.value.notices.find((notice) => notice.kind === "gap");
    this.notify({ kind: "gap", bytes: to - from + (before?.kind === "gap" ? before.bytes : 0) });
  }

  resize(size: Size): void {
    this.change({ size });
    if (this.state.value.role === "view") this.screen?.after(() => this.watchSize(size));
  }

  role(role: Role, controller: boolean): void {
    this.change({ role, controlled: role === "control" || controller });
    this.permit();
    if (role === "control") this.screen?.grow();
    this.fit();
  }

  exit(exit: Exit): void {
    this.screen?.after(() => this.change({ exit, restoring: false }));
    this.permit();
  }

  failure(message: string): void {
    this.notify({ kind: "failure", message });
  }

  unconfirmed(bytes: number): void {
    this.notify({ kind: "unconfirmed", bytes });
  }

  private ready(): void {
    this.change({ restoring: false });
    this.permit();
    this.fit();
  }

  // Only a controller's live terminal says anything. Before the first attach and while history is drawn keys wait.
  private permit(): void {
    const { link, role, restoring, exit } = this.state.value;
    const mayType = link === "live" && role === "control" && !exit;
    if (mayType) this.screen?.setInput(restoring ? "held" : "open");
    else if (link === "waiting") this.screen?.setInput(role === "control" ? "closed" : "silent");
    else if (link !== "connecting") this.screen?.setInput("silent");
  }

  private fit(): void {
    const { role, link, restoring, size } = this.state.value;
    if (role === "view") return this.screen?.shrink();
    const fitting = this.screen?.fitting();
    if (!fitting || restoring || link === "waiting") return;
    this.applySize(fitting);
    if (link !== "live") return;
    if (size?.cols === fitting.cols && size.rows === fitting.rows) return;
    this.change({ size: fitting });
    this.connection.resize(fitting);
  }

  private watchSize(size: Size): void {
    if (this.state.value.role !== "view") return;
    this.applySize(size);
    this.screen?.shrink();
  }

  private applySize(size: Size): void {
    this.screen?.resize(size);
  }

  private async examine(): Promise<Verdict> {
    try {
      await getSession(this.session);
      return "retry";
    } catch (failure) {
      const status = failure instanceof Problem ? failure.status : 0;
      if (status === 404 || status === 410) return "gone";
      if (status === 403) return "refused";
      return status === 401 ? "signed-out" : "retry";
    }
  }

  // The newest of each kind; one kind never hides another.
  private notify(notice: Notice): void {
    const others = this.state.value.notices.filter((known) => known.kind !== notice.kind);
    this.change({ notices: [...others, notice] });
  }

  private change(part: Partial<ViewerState>): void {
    this.state.set({ ...this.state.value, ...part });
  }
}
