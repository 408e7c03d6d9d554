"""The commands that the contract suite runs in bodies; a plugin whose bodies have other programs brings its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import pytest

from sac_core.models.secret_use import SECRETS_DIR
from sac_core.testing.simulated_program import LINE, Beat

Argv = tuple[str, ...]


def filled(count: int) -> bytes:
    """What `BodyCommands.fill` writes."""
    return (LINE * (count // len(LINE) + 1))[:count]


class BodyCommands(ABC):
    """Argument vectors by what they do. A *beat* is a mark that a body leaves outside, where the suite sees it."""

    missing: Argv = ("sac-no-such-program",)
    """A program that is not there."""

    @abstractmethod
    def cat(self) -> Argv:
        """Copy standard input to standard output."""

    @abstractmethod
    def emit(self, code: int, *parts: tuple[str, bytes]) -> Argv:
        """Write each part to its stream (``stdout`` or ``stderr``), then exit with ``code``."""

    @abstractmethod
    def fill(self, count: int, tag: str | None = None) -> Argv:
        """Write `filled` (count) to standard output, then leave a beat if there is a tag."""

    @abstractmethod
    def idle(self) -> Argv:
        """Run until signalled; never read."""

    @abstractmethod
    def beat(self, tag: str) -> Argv:
        """Leave a beat every 100 ms, for ever."""

    @abstractmethod
    def linger(self, tag: str) -> Argv:
        """As `beat`, and go on for half a second after being asked to end."""

    @abstractmethod
    def stubborn(self, tag: str) -> Argv:
        """As `beat`, and end only when killed."""

    @abstractmethod
    def scatter(self, tag: str) -> Argv:
        """Start a child in a session of its own that does as `stubborn`; run until signalled."""

    @abstractmethod
    def mark(self, tag: str) -> Argv:
        """Leave one beat, print a line that no other process prints, then copy input to output."""

    @abstractmethod
    def printenv(self, name: str) -> Argv:
        """Print a variable; code 1 when it is not set."""

    @abstractmethod
    def secret(self, name: str) -> Argv:
        """Print the file of a secret; another code than 0 when it is not there."""

    @abstractmethod
    def size(self) -> Argv:
        """For each line of input print the terminal's rows and columns."""

    def serve(self, port: int) -> Argv:
        """Listen on a TCP port of loopback; send back what each connection says, to its end."""
        pytest.skip("capability: serve (override BodyCommands.serve)")

    @abstractmethod
    def beats(self) -> Sequence[Beat]:
        """Every beat so far, in order."""


class PosixCommands(BodyCommands):
    """With ``sh``, ``cat``, ``yes``, ``head``, ``od``, ``stty`` and a file that bodies and the suite both see.

    `serve` alone needs ``python3``.
    """

    def __init__(self, witness: Path, witness_in_body: str | None = None) -> None:
        self._witness = witness
        self._path = witness_in_body or str(witness)
        witness.touch()

    def cat(self) -> Argv:
        return ("cat",)

    def emit(self, code: int, *parts: tuple[str, bytes]) -> Argv:
        prints = [f"printf '{_octal(data)}'{' >&2' if stream == 'stderr' else ''}" for stream, data in parts]
        return _sh("; ".join([*prints, f"exit {code}"]))

    def fill(self, count: int, tag: str | None = None) -> Argv:
        fill = f'yes "$1" 2>/dev/null | head -c {count}'
        beat = f"; {self._beat(tag)}" if tag else ""
        return _sh(fill + beat, LINE.decode().rstrip("\n"))

    def idle(self) -> Argv:
        return ("sleep", "3600")

    def beat(self, tag: str) -> Argv:
        return _sh(f"{_BODY}; while :; do {self._beat(tag)}; sleep 0.1; done")

    def linger(self, tag: str) -> Argv:
        last = f"for i in 1 2 3 4 5; do {self._beat(tag)}; sleep 0.1; done; exit 0"
        return _sh(f"{_BODY}; trap '{last}' TERM HUP; while :; do {self._beat(tag)}; sleep 0.1; done")

    def stubborn(self, tag: str) -> Argv:
        return _sh(f"{_BODY}; trap '' TERM HUP INT; while :; do {self._beat(tag)}; sleep 0.1; done")

    def scatter(self, tag: str) -> Argv:
        child = f"trap '' TERM HUP INT; while :; do {self._beat(tag)}; sleep 0.1; done"
        return _sh(f'{_BODY}; export body; $(command -v setsid) sh -c "$1" & exec sleep 3600', child)

    def mark(self, tag: str) -> Argv:
        return _sh(f"{_BODY}; {self._beat(tag)}; echo $body; exec cat")

    def printenv(self, name: str) -> Argv:
        return ("printenv", name)

    def secret(self, name: str) -> Argv:
        return _sh(f'cat "${SECRETS_DIR}/$1" 2>/dev/null', name)

    def size(self) -> Argv:
        return _sh("while read -r line; do stty size; done")

    def serve(self, port: int) -> Argv:
        return ("python3", "-c", _SERVE, str(port))

    def beats(self) -> Sequence[Beat]:
        lines = self._witness.read_text().split("\n")[:-1]
        return [Beat(*line.split(" ", 1)) for line in lines]

    def _beat(self, tag: str) -> str:
        return f'echo "{tag} $body" >> "{self._path}"'


class SimulatedCommands(BodyCommands):
    """The programs of `simulated_program`."""

    def __init__(self, beats: Sequence[Beat]) -> None:
        self._beats = beats

    def cat(self) -> Argv:
        return ("cat",)

    def emit(self, code: int, *parts: tuple[str, bytes]) -> Argv:
        return ("emit", str(code), *(word for stream, data in parts for word in (stream, data.hex())))

    def fill(self, count: int, tag: str | None = None) -> Argv:
        return ("fill", str(count), *([tag] if tag else []))

    def idle(self) -> Argv:
        return ("idle",)

    def beat(self, tag: str) -> Argv:
        return ("beat", tag)

    def linger(self, tag: str) -> Argv:
        return ("linger", tag)

    def stubborn(self, tag: str) -> Argv:
        return ("stubborn", tag)

    def scatter(self, tag: str) -> Argv:
        return ("scatter", tag)

    def mark(self, tag: str) -> Argv:
        return ("mark", tag)

    def printenv(self, name: str) -> Argv:
        return ("printenv", name)

    def secret(self, name: str) -> Argv:
        return ("secret", name)

    def size(self) -> Argv:
        return ("size",)

    def serve(self, port: int) -> Argv:
        return ("serve", str(port))

    def beats(self) -> Sequence[Beat]:
        return list(self._beats)


_BODY = "body=$(od -An -N8 -tx1 /dev/urandom | tr -d ' ')"
"""A pid says little: in containers every body's first process is 1."""


_SERVE = """
import socketserver, sys
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 100
Server(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
"""


def _sh(script: str, *arguments: str) -> Argv:
    return ("sh", "-c", script, "sh", *arguments)


def _octal(data: bytes) -> str:
    return "".join(f"\\{byte:03o}" for byte in data)
