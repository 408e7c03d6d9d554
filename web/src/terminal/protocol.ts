import type { Exit, Role } from "../api/types";

/** `sac.terminal.v1`: binary frames are bytes, text frames are JSON control. */
export const PROTOCOL = "sac.terminal.v1";
/** The largest message that a client may send. */
export const MAX_MESSAGE = 64 * 1024;

export interface Size {
  cols: number;
  rows: number;
}

export type ServerFrame =
  | { type: "attached"; offset: number; end?: number; session: string; role: Role; tty?: Size }
  | { type: "input"; received: number }
  | { type: "gap"; from: number; to: number }
  | ({ type: "resize" } & Size)
  | { type: "role"; role: Role; controller?: boolean }
  | ({ type: "exit" } & Exit)
  | { type: "error"; reason: string; message: string };

export type ClientFrame =
  | ({ type: "resize" } & Size)
  | { type: "signal"; name: string }
  | { type: "eof" }
  | { type: "ack"; offset: number }
  | { type: "take" };

/** Cut into messages that the server takes. */
export function* pieces(data: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < data.length; at += MAX_MESSAGE) yield data.slice(at, at + MAX_MESSAGE);
}
