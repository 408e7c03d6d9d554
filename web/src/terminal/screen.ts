import { FitAddon } from "@xterm/addon-fit";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal, type ITheme } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { pasted } from "./paste";
import type { Size } from "./protocol";
import { cleanTitle, clipboardText, safeLink } from "./untrusted";

const FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";
const SCROLLBACK = 10_000;
const TYPE_AHEAD = 4_096;
const SMALLEST_TEXT = 6;
const CANCEL = "\x18";

export interface ScreenEvents {
  /** What a person typed or pasted, or the terminal answered to a live question; only while input is open. */
  input(data: Uint8Array): void;
  /** A person typed or pasted, and it was dropped. */
  dropped(): void;
  title(title: string): void;
  /** The program wants this text in the clipboard. */
  clipboard(text: string): void;
  /** The link under the pointer, or nothing. */
  hover(link: string | null): void;
  /** The key that leaves the terminal. */
  leave(): void;
}

/** `closed`: input is dropped, and said so. `held`: keys wait until it opens. `open`: input goes out. `silent`: dropped. */
export type InputState = "closed" | "held" | "open" | "silent";

/** The terminal emulator of one session: bytes in, a person's input out, and nothing else out. */
export class Screen {
  readonly terminal: Terminal;
  private readonly fitAddon = new FitAddon();
  private readonly encoder = new TextEncoder();
  private inputState: InputState = "held";
  private typedAhead = "";
  private fontSize: number;

  constructor(
    private readonly host: HTMLElement,
    private readonly events: ScreenEvents,
    options: { theme: ITheme; fontSize: number; screenReaderMode: boolean },
  ) {
    this.fontSize = options.fontSize;
    this.terminal = new Terminal({
      ...options,
      allowProposedApi: true,
      cursorBlink: true,
      disableStdin: true,
      fontFamily: FONT,
      scrollback: SCROLLBACK,
      linkHandler: { activate: (_, uri) => openLink(uri), hover: (_, uri) => events.hover(uri), leave: () => events.hover(null) },
    });
    this.load();
    this.listen();
    this.terminal.open(host);
    this.guardPaste();
  }

  dispose(): void {
    this.terminal.dispose();
  }

  write(data: Uint8Array, shown: () => void): void {
    this.terminal.write(data, shown);
  }

  writeText(text: string, shown: () => void): void {
    this.terminal.write(text, shown);
  }

  /** Run something when all that was written before is on the screen. */
  after(action: () => void): void {
    this.terminal.write("", action);
  }

  /** What follows starts from the first byte again. */
  restart(): void {
    this.after(() => this.terminal.reset());
  }

  /** Output is missing here: end an escape sequence that the gap may have cut. */
  cut(): void {
    this.terminal.write(CANCEL);
  }

  setInput(state: InputState): void {
    this.inputState = state;
    this.terminal.options.disableStdin = state !== "open";
    const ahead = this.typedAhead;
    if (state !== "held") this.typedAhead = "";
    if (state === "open" && ahead) this.events.input(this.encoder.encode(ahead));
  }

  /** The size that fills the host. */
  fitting(): Size | undefined {
    const size = this.fitAddon.proposeDimensions();
    if (!size || !Number.isFinite(size.cols) || !Number.isFinite(size.rows)) return undefined;
    const bound = (value: number): number => Math.max(2, Math.min(1000, value));
    return { cols: bound(size.cols), rows: bound(size.rows) };
  }

  resize(size: Size): void {
    this.terminal.resize(size.cols, size.rows);
  }

  /** Smaller text, down to a bound, until a size that is somebody else's fits the host. */
  shrink(): void {
    this.grow();
    const drawn = this.host.querySelector<HTMLElement>(".xterm-screen");
    if (!drawn?.offsetWidth || !drawn.offsetHeight) return;
    const ratio = Math.min(this.host.clientWidth / drawn.offsetWidth, this.host.clientHeight / drawn.offsetHeight);
    if (ratio < 1) this.terminal.options.fontSize = Math.max(SMALLEST_TEXT, Math.floor(this.fontSize * ratio));
  }

  /** The text size that the person chose. */
  grow(fontSize = this.fontSize): void {
    this.fontSize = fontSize;
    this.terminal.options.fontSize = fontSize;
  }

  async copySelection(): Promise<boolean> {
    const text = this.terminal.getSelection();
    return text !== "" && copyText(text);
  }

  private load(): void {
    this.terminal.loadAddon(this.fitAddon);
    this.terminal.loadAddon(new UnicodeGraphemesAddon());
    const hover = { hover: (_: MouseEvent, uri: string) => this.events.hover(uri), leave: () => this.events.hover(null) };
    this.terminal.loadAddon(new WebLinksAddon((_, uri) => openLink(uri), hover));
  }

  private listen(): void {
    const { terminal, events } = this;
    // While input is not open the emulator is told so (disableStdin): it then answers no question of the output either.
    terminal.onData((text) => this.emit(this.encoder.encode(text)));
    terminal.onBinary((text) => this.emit(Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 255)));
    terminal.onKey(({ key }) => this.key(key));
    terminal.onTitleChange((title) => events.title(cleanTitle(title)));
    terminal.parser.registerOscHandler(52, (payload) => this.offerClipboard(payload));
    terminal.attachCustomKeyEventHandler((event) => this.shortcut(event));
  }

  private emit(data: Uint8Array): void {
    if (this.inputState === "open") this.events.input(data);
  }

  private key(key: string): void {
    if (this.inputState === "closed") this.events.dropped();
    if (this.inputState === "held" && this.typedAhead.length < TYPE_AHEAD) this.typedAhead += key;
  }

  // A request of the history was for its own time: only what is live may ask.
  private offerClipboard(payload: string): boolean {
    const text = this.inputState === "open" ? clipboardText(payload) : null;
    if (text !== null) this.events.clipboard(text);
    return true;
  }

  private shortcut(event: KeyboardEvent): boolean {
    const leaves = (event.ctrlKey && event.shiftKey && event.key === "Escape") || (event.ctrlKey && event.key === "F6");
    const copies = event.ctrlKey && event.shiftKey && event.code === "KeyC";
    const pastes = event.ctrlKey && event.shiftKey && event.code === "KeyV";
    if (event.type === "keydown" && leaves) this.events.leave();
    if (event.type === "keydown" && copies) void this.copySelection();
    if (leaves || copies) event.preventDefault();
    // The browser turns Ctrl+Shift+V into a paste event by itself.
    return !leaves && !copies && !pastes;
  }

  private guardPaste(): void {
    this.host.addEventListener("paste", (event) => this.paste(event), { capture: true });
  }

  private paste(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text === "" || this.inputState === "silent") return;
    if (this.inputState !== "open") return this.events.dropped();
    this.events.input(this.encoder.encode(pasted(text, this.terminal.modes.bracketedPasteMode)));
    this.terminal.scrollToBottom();
  }
}

function openLink(uri: string): void {
  const url = safeLink(uri);
  if (url) window.open(url, "_blank", "noopener,noreferrer");
}

/** Put a text into the clipboard; false when the browser does not allow it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
