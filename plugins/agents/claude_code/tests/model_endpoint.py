"""A stand-in for the model's HTTP endpoint, in its real streaming format: no account is needed, and nothing is thought.

What it says is scripted. It is not a model, and the tests that use it say nothing about one.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Block = dict[str, Any]


def text(words: str) -> Block:
    """A block of text."""
    return {"type": "text", "text": words}


def thinking(words: str) -> Block:
    """A block of thinking."""
    return {"type": "thinking", "thinking": words}


def tool_use(id: str, name: str, **given: Any) -> Block:
    """A wish to use a tool."""
    return {"type": "tool_use", "id": id, "name": name, "input": given}


@dataclass
class Endpoint:
    """Answers in order; when there are none left, a text. ``seen`` is what was asked, with the headers.

    Where an answer says ``hold``, it stops for as long as ``held`` is not set. A number is an HTTP status.
    """

    script: list[list[Block] | int] = field(default_factory=list)
    seen: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    hold: str | None = None
    held: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        """Its address on this machine."""
        return f"http://127.0.0.1:{self.port}"

    def next(self, request: dict[str, Any]) -> list[Block] | int:
        """The next scripted answer; a request without tools (a title, a check) takes none of them."""
        if request.get("tools") and self.script:
            return self.script.pop(0)
        return [text("Nothing more is scripted.")]

    @property
    def asked(self) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """The requests of the conversation itself, each with its headers."""
        return [(headers, body) for headers, body in self.seen if body.get("tools")]


@contextmanager
def endpoint(
    *script: list[Block] | int, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[Endpoint]:
    """Serve on this machine until the context is left; on ``host`` 0.0.0.0 for containers too."""
    state = Endpoint(list(script))
    server = ThreadingHTTPServer((host, 0), type("Handler", (_Handler,), {"state": state}))
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield state
    finally:
        state.held.set()
        server.shutdown()
        thread.join(5)
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Endpoint

    def log_message(self, *args: Any) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        self._plain(200, b"")

    def do_GET(self) -> None:
        self._plain(404, b"{}")

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.path.startswith("/v1/messages") or "count_tokens" in self.path:
            return self._plain(404, b'{"type":"error","error":{"type":"not_found_error","message":"no such path"}}')
        self.state.seen.append((dict(self.headers.items()), request))
        answer = self.state.next(request)
        if isinstance(answer, int):
            return self._plain(answer, b'{"type":"error","error":{"type":"api_error","message":"scripted failure"}}')
        return self._stream(request.get("model", "none"), answer)

    def _plain(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, model: str, blocks: list[Block]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for event in _events(f"msg_{len(self.state.seen)}", model, blocks):
            try:
                self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
                self.wfile.flush()
            except OSError:  # whoever asked has gone
                return
            if self.state.hold is not None and self.state.hold in json.dumps(event):
                self.state.held.wait(60)


def _events(id: str, model: str, blocks: list[Block]) -> Iterator[dict[str, Any]]:
    usage = {"input_tokens": 11, "output_tokens": 1, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    message = {"id": id, "type": "message", "role": "assistant", "model": model, "content": []}
    yield {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}}
    for index, block in enumerate(blocks):
        start, delta = _parts(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    reason = "tool_use" if any(block["type"] == "tool_use" for block in blocks) else "end_turn"
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": {"output_tokens": 7},
    }
    yield {"type": "message_stop"}


def _parts(block: Block) -> tuple[Block, Block]:
    """A block as it begins, and what is added to it then."""
    if block["type"] == "text":
        return {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
    if block["type"] == "thinking":
        empty = {"type": "thinking", "thinking": "", "signature": ""}
        return empty, {"type": "thinking_delta", "thinking": block["thinking"]}
    return {**block, "input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
