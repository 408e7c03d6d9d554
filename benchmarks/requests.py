"""Requests a second for one agent, beside a Starlette route with the same SELECT, and beside a bare route."""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from urllib.parse import urlsplit

from benchmarks.bodies import MEMORY, Server, running_server
from benchmarks.figures import Bar, Figure, compared
from sac_core.testing.postgres import running_cluster

_CONNECTIONS = 16


def measure_both(server: Server, *, seconds: float = 1.5, rounds: int = 11) -> Iterator[Figure]:
    """On SQLite, and on a PostgreSQL of the benchmark's own."""
    yield from measure(server, "SQLite", seconds=seconds, rounds=rounds)
    with running_cluster(MEMORY) as cluster, running_server(cluster.database()) as other:
        yield from measure(other, "PostgreSQL", seconds=seconds, rounds=rounds)


def measure(server: Server, kind: str, *, seconds: float, rounds: int) -> Iterator[Figure]:
    """Three routes in turn, several times; the first round warms up."""
    server.agent("one")
    with _peers(server) as peers:
        targets = [
            (server.url, asked(server, "GET", "/api/v1/agents/one")),
            (peers, b"GET /agents/one HTTP/1.1\r\nHost: peer\r\n\r\n"),
            (peers, b"GET /bare/one HTTP/1.1\r\nHost: peer\r\n\r\n"),
        ]
        results = [
            [rate(url, partial(bytes, request), seconds) for url, request in targets] for _ in range(rounds + 1)
        ][1:]
    ours, same, bare = zip(*results, strict=True)
    yield compared(f"GET of one agent, {kind}", "req/s", ours, same, peer_name="Starlette, same SELECT",
                   bar=Bar(0.7, at_least=True))  # fmt: skip
    yield compared(f"GET of one agent, {kind}", "req/s", ours, bare, peer_name="Starlette, bare route", bar=None)


def asked(server: Server, method: str, path: str, body: object = None) -> bytes:
    """A request as it goes over the wire, with the server's token."""
    data = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(server.url).netloc}\r\nAuthorization: Bearer {server.token}\r\n"
    )
    if data:
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    return f"{head}\r\n".encode() + data


def rate(url: str, request: Callable[[], bytes], seconds: float) -> float:
    """Answers a second over a few connections, each with one request on its way."""
    address = urlsplit(url)
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(_CONNECTIONS):
            sock = stack.enter_context(socket.create_connection((address.hostname, address.port)))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(sock, selectors.EVENT_READ, bytearray())
            sock.sendall(request())
        return _count(selector, request, seconds)


def _count(selector: selectors.BaseSelector, request: Callable[[], bytes], seconds: float) -> float:
    """Answers a second, of at least one answer."""
    answers, began = 0, time.perf_counter()
    while time.perf_counter() < began + seconds or not answers:
        for key, _ in selector.select(1):
            sock: socket.socket = key.fileobj  # type: ignore[assignment]
            key.data.extend(sock.recv(65536))
            if _complete(key.data):
                key.data.clear()
                answers += 1
                sock.sendall(request())
    return answers / (time.perf_counter() - began)


def _complete(answer: bytearray) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
        raise RuntimeError(answer.decode(errors="replace")[:500])
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    return len(body) >= length


@contextmanager
def _peers(server: Server) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.routes", server.database]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
