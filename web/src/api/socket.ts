/** What we use of a WebSocket; a test puts its own in place. */
export type Socket = Pick<WebSocket, "send" | "close" | "readyState"> & {
  binaryType: BinaryType;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
};

const OPEN = 1; // WebSocket.OPEN, which tests outside a browser do not have

/** Whether what is sent now can go out: a socket is closing for a moment before it says that it is closed. */
export function isOpen(socket: Socket): boolean {
  return socket.readyState === OPEN;
}
