"""A WebSocket client that costs as little as can be, so that what is measured is the server.

Blocking or not as its socket is; no fragments, no extensions. The mask is zero, which the protocol allows.
"""

from __future__ import annotations

import base64
import os
import socket
import ssl
import struct
from collections.abc import Iterator
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_RECEIVE = 256 * 1024


class WebSocket:
    """One open socket; `feed` and `messages` take what has arrived."""

    def __init__(self, sock: socket.socket, rest: bytes) -> None:
        self.sock = sock
        self.closed = False
        self._buffer = bytearray(rest)

    def fileno(self) -> int:
        return self.sock.fileno()

    def send(self, opcode: int, payload: bytes) -> None:
        """Send one message."""
        size = len(payload)
        if size < 126:
            head = struct.pack(">BB", 0x80 | opcode, 0x80 | size)
        elif size < 65536:
            head = struct.pack(">BBH", 0x80 | opcode, 0xFE, size)
        else:
            head = struct.pack(">BBQ", 0x80 | opcode, 0xFF, size)
        self.sock.sendall(head + b"\0\0\0\0" + payload)

    def receive(self) -> list[tuple[int, bytes]]:
        """The messages that came with the next bytes; pings are answered."""
        data = self.sock.recv(_RECEIVE)
        if not data:
            self.closed = True
        self._buffer += data
        return [message for message in self._messages() if not self._answered(message)]

    def _answered(self, message: tuple[int, bytes]) -> bool:
        if message[0] == PING:
            self.send(PONG, message[1])
        self.closed = self.closed or message[0] == CLOSE
        return message[0] in (PING, PONG, CLOSE)

    def _messages(self) -> Iterator[tuple[int, bytes]]:
        buffer, start = self._buffer, 0
        while len(buffer) - start >= 2:
            size, head = buffer[start + 1] & 0x7F, 2
            if size > 125:
                head = 4 if size == 126 else 10
                if len(buffer) - start < head:
                    break
                size = int.from_bytes(buffer[start + 2 : start + head])
            if len(buffer) - start < head + size:
                break
            with memoryview(buffer) as view:
                payload = bytes(view[start + head : start + head + size])
            yield buffer[start] & 0x0F, payload
            start += head + size
        del buffer[:start]

    def close(self) -> None:
        """Close without a handshake."""
        self.sock.close()


def connect(url: str, *, subprotocol: str = "", token: str = "", context: ssl.SSLContext | None = None) -> WebSocket:
    """Open a WebSocket at an ``http://`` address, or with ``context`` at an ``https://`` one.

    Raises `ConnectionError` with the answer when it is refused.
    """
    parts = urlsplit(url)
    sock = socket.create_connection((parts.hostname, parts.port), timeout=30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if context is not None:
        sock = context.wrap_socket(sock, server_hostname=parts.hostname)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", "Sec-WebSocket-Version: 13"]
    lines += [f"Sec-WebSocket-Protocol: {subprotocol}"] if subprotocol else []
    lines += [f"Authorization: Bearer {token}"] if token else []
    sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        data = sock.recv(65536)
        if not data:
            break
        answer += data
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b" 101 " not in head.split(b"\r\n")[0]:
        sock.close()
        raise ConnectionError(answer.decode(errors="replace")[:500])
    return WebSocket(sock, rest)
