"""A registry on loopback, which engines need not be told to trust: images in memory, logins, blobs that come slowly."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_PIECE = 256 * 1024
_SLOW = 0.05
"""Seconds between pieces of a large layer: engines tell ten times a second how far they are, not after each piece."""


@dataclass
class Registry:
    """The second half of a large layer is sent once ``rest`` is set; while it is ``down`` it serves nobody."""

    port: int = 0
    login: tuple[str, str] | None = None
    down: bool = False
    rest: threading.Event = field(default_factory=threading.Event)
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)

    def push(self, name: str, files: dict[str, bytes]) -> str:
        """An image of one layer with these files; its name for `docker pull`."""
        tar = _tar(files)
        layer = gzip.compress(tar, mtime=0)
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["true"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tar)]},
        }
        parts = {"config": self._keep(_CONFIG, json.dumps(config).encode()), "layers": [self._keep(_LAYER, layer)]}
        manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, **parts}
        self.manifests[name] = json.dumps(manifest).encode()
        return f"127.0.0.1:{self.port}/{name}:1"

    def _keep(self, media: str, content: bytes) -> dict[str, Any]:
        digest = _digest(content)
        self.blobs[digest] = content
        return {"mediaType": media, "size": len(content), "digest": digest}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        registry, parts = self.registry, self.path.strip("/").split("/")
        if registry.down:
            self._fail(503, "UNAVAILABLE", "come back later")
        elif not self._allowed():
            self._fail(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": 'Basic realm="test"'})
        elif parts == ["v2"]:
            self._send(b"{}", "application/json")
        elif parts[-2:-1] == ["manifests"]:
            known = registry.manifests.get("/".join(parts[1:-2])) or registry.blobs.get(parts[-1])
            if known is None:
                self._fail(404, "MANIFEST_UNKNOWN", "manifest unknown")
            else:
                self._send(known, _MANIFEST)
        elif parts[-1] in registry.blobs:
            self._send(registry.blobs[parts[-1]], "application/octet-stream")
        else:
            self._fail(404, "BLOB_UNKNOWN", "blob unknown")

    def _allowed(self) -> bool:
        login = self.registry.login
        if login is None:
            return True
        wanted = base64.b64encode(":".join(login).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {wanted}"

    def _fail(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self._send(body, "application/json", status, headers or {})

    def _send(self, body: bytes, media: str, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        about = {"Content-Type": media, "Content-Length": str(len(body)), **(headers or {})}
        if media == _MANIFEST:
            about["Docker-Content-Digest"] = _digest(body)
        for name, value in about.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self._write(body)

    def _write(self, body: bytes) -> None:
        half = len(body) // 2 if len(body) > 4 * _PIECE else len(body)
        for at in range(0, half, _PIECE):
            self.wfile.write(body[at : min(half, at + _PIECE)])
            if half < len(body):
                self.registry.rest.wait(_SLOW)
        if half < len(body):
            self.registry.rest.wait(60)
            self.wfile.write(body[half:])

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def running_registry(login: tuple[str, str] | None = None) -> Iterator[Registry]:
    """A registry that serves until the context is left."""
    registry = Registry(login=login)
    handler = type("Handler", (_Handler,), {"registry": registry})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        registry.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield registry
        finally:
            registry.rest.set()
            server.shutdown()
            thread.join(20)
