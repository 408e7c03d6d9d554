"""Requests a second for one agent, beside a Starlette route with the same SELECT, and beside a bare route."""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from benchmarks.bodies import Server
from benchmarks.figures import Bar, Figure, compared

_CONNECTIONS = 16


def measure(server: Server, *, seconds: float = 1.5, rounds: int = 11) -> Iterator[Figure]:
    """Three routes in turn, several times; the first round warms up."""
    server.agent("one")
    with _peers(server) as peers:
        targets = [
            (server.url, "/api/v1/agents/one", server.token),
            (peers, "/agents/one", ""),
            (peers, "/bare/one", ""),
        ]
        results = [[_rate(*target, seconds) for target in targets] for _ in range(rounds + 1)][1:]
    ours, same, bare = zip(*results, strict=True)
    yield compared("GET of one agent", "req/s", ours, same, peer_name="Starlette, same SELECT",
                   bar=Bar(0.7, at_least=True))  # fmt: skip
    yield compared("GET of one agent", "req/s", ours, bare, peer_name="Starlette, bare route", bar=None)


def _rate(url: str, path: str, token: str, seconds: float) -> float:
    """Answers a second over a few connections, each with one request on its way."""
    address = urlsplit(url)
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    request = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n{authorization}\r\n".encode()
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(_CONNECTIONS):
            sock = stack.enter_context(socket.create_connection((address.hostname, address.port)))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(sock, selectors.EVENT_READ, bytearray())
            sock.sendall(request)
        return _count(selector, request, seconds) / seconds


def _count(selector: selectors.BaseSelector, request: bytes, seconds: float) -> int:
    answers, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for key, _ in selector.select(1):
            sock: socket.socket = key.fileobj  # type: ignore[assignment]
            key.data.extend(sock.recv(65536))
            if _complete(key.data):
                key.data.clear()
                answers += 1
                sock.sendall(request)
    return answers


def _complete(answer: bytearray) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer.decode(errors="replace")[:500])
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    return len(body) >= length


@contextmanager
def _peers(server: Server) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.routes", str(server.folder / "sac.db")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
