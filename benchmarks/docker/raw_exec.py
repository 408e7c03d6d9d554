"""The bare client: an exec with a terminal at the engine's socket, its connection handed over, nothing in between."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Mapping, Sequence

_SIZE = 256 * 1024


def make_exec(engine: str, container: str, command: Sequence[str]) -> str:
    """Make an exec with a terminal; its id."""
    body = {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True, "Tty": True, "Cmd": list(command)}
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(engine)
        sock.sendall(_request(f"/containers/{container}/exec", body, "Connection: close"))
        answer = b""
        while data := sock.recv(_SIZE):
            answer += data
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b" 201 " not in head:
        raise RuntimeError(answer.decode(errors="replace"))
    exec_id: str = json.loads(rest)["Id"]
    return exec_id


def _start(exec_id: str) -> bytes:
    body = {"Detach": False, "Tty": True}
    return _request(f"/exec/{exec_id}/start", body, "Connection: Upgrade", "Upgrade: tcp")


def _request(path: str, body: Mapping[str, object], *headers: str) -> bytes:
    content = json.dumps(body).encode()
    lines = [f"POST /v1.41{path} HTTP/1.1", "Host: docker", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


class ExecKeyboard:
    """A terminal in a container; what is pressed goes to the engine's socket as it is."""

    def __init__(self, engine: str, exec_id: str) -> None:
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.connect(engine)
        self._sock.sendall(_start(exec_id))
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._sock.recv(1)
        if b" 101 " not in head:
            raise ConnectionError(head.decode(errors="replace"))

    def fileno(self) -> int:
        return self._sock.fileno()

    def press(self) -> None:
        self._sock.sendall(b"k")

    def seen(self) -> int:
        return len(self._sock.recv(4096))

    def close(self) -> None:
        """Hang up."""
        self._sock.close()


def bytes_a_second(engine: str, exec_id: str) -> float:
    """How quickly asyncio reads what a command prints once it got a line, to the end."""
    count, seconds = asyncio.run(_read(engine, exec_id))
    return count / seconds


async def _read(engine: str, exec_id: str) -> tuple[int, float]:
    reader, writer = await asyncio.open_unix_connection(engine, limit=_SIZE)
    writer.write(_start(exec_id))
    if b" 101 " not in await reader.readuntil(b"\r\n\r\n"):
        raise ConnectionError("the engine did not hand its connection over")
    began, count = time.perf_counter(), 0
    writer.write(b"\n")
    while data := await reader.read(_SIZE):
        count += len(data)
    took = time.perf_counter() - began
    writer.close()
    return count, took
