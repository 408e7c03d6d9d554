import { apiUrl, request } from "./http";
import type { Socket } from "./socket";

/** A socket that is connecting. WebSockets carry no headers: a single-use ticket goes as second subprotocol. */
export async function dial(path: string, protocol: string): Promise<Socket> {
  const { ticket } = await request<{ ticket: string }>("POST", "tickets");
  const url = apiUrl(path);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url, [protocol, `sac.ticket.${ticket}`]);
  socket.binaryType = "arraybuffer";
  return socket;
}
