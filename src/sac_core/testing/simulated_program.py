"""Programs of simulated bodies: generators that ask for input, output and time, so that no task runs them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from sac_core.models.process import TtySize
from sac_core.service.archives.in_body import MISSING
from sac_core.service.archives.tools import SCRIPTS


class Read(NamedTuple):
    """Ask for input: answered with bytes, or with ``b""`` at its end."""


class Write(NamedTuple):
    """Ask for output to be taken; answered when there was room."""

    stream: Literal["stdout", "stderr"]
    data: bytes


class Sleep(NamedTuple):
    """Ask for seconds of the target's clock to pass."""

    seconds: float


Request = Read | Write | Sleep


class Beat(NamedTuple):
    """A sign of life that a body itself left outside: ``tag`` says which launch, ``body`` which incarnation of it."""

    tag: str
    body: str


@dataclass
class Invocation:
    """What a program sees of its surroundings."""

    argv: tuple[str, ...]
    env: dict[str, str]
    serial: int
    """Unique for every process that was ever started on the target."""
    beats: list[Beat]
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The files of its body's secrets."""
    disk: dict[str, bytes] = field(default_factory=dict)
    """What was put into its body, archives by the folder."""
    size: Callable[[], TtySize | None] = field(default=lambda: None)


Program = Callable[[Invocation], Generator[Request, Any, int]]


def cat(call: Invocation) -> Generator[Request, Any, int]:
    """Copy input to output."""
    while data := (yield Read()):
        yield Write("stdout", data)
    return 0


def echo(call: Invocation) -> Generator[Request, Any, int]:
    """``echo WORD...``: the words and a newline."""
    yield Write("stdout", " ".join(call.argv[1:]).encode() + b"\n")
    return 0


def emit(call: Invocation) -> Generator[Request, Any, int]:
    """``emit CODE STREAM HEX [STREAM HEX...]``: each part to its stream, then exit with the code."""
    for stream, text in zip(call.argv[2::2], call.argv[3::2], strict=True):
        yield Write("stderr" if stream == "stderr" else "stdout", bytes.fromhex(text))
    return int(call.argv[1])


def fill(call: Invocation) -> Generator[Request, Any, int]:
    """``fill COUNT [BEAT]``: so many bytes of a known pattern; a beat with that tag once all are out."""
    left = int(call.argv[1])
    while left > 0:
        block = PATTERN[: min(left, len(PATTERN))]
        yield Write("stdout", block)
        left -= len(block)
    if len(call.argv) > 2:
        call.beats.append(Beat(call.argv[2], str(call.serial)))
    return 0


def idle(call: Invocation) -> Generator[Request, Any, int]:
    """Run until signalled."""
    while True:
        yield Sleep(3600.0)


def beat(call: Invocation) -> Generator[Request, Any, int]:
    """``beat TAG``: leave a `Beat` every 100 ms."""
    while True:
        call.beats.append(Beat(call.argv[1], str(call.serial)))
        yield Sleep(0.1)


def linger(call: Invocation) -> Generator[Request, Any, int]:
    """``linger TAG``: as `beat`; the body takes half a second to end."""
    return (yield from beat(call))


def stubborn(call: Invocation) -> Generator[Request, Any, int]:
    """``stubborn TAG``: as `beat`; the body ends only when its grace is over."""
    return (yield from beat(call))


def scatter(call: Invocation) -> Generator[Request, Any, int]:
    """``scatter TAG``: as `beat`; nothing outlives its body here."""
    return (yield from beat(call))


def mark(call: Invocation) -> Generator[Request, Any, int]:
    """``mark TAG``: leave one `Beat`, say the own serial, then copy input to output."""
    call.beats.append(Beat(call.argv[1], str(call.serial)))
    yield Write("stdout", f"{call.serial}\n".encode())
    return (yield from cat(call))


def printenv(call: Invocation) -> Generator[Request, Any, int]:
    """``printenv NAME``: the variable's value; code 1 when it is not set."""
    value = call.env.get(call.argv[1])
    if value is None:
        return 1
    yield Write("stdout", value.encode() + b"\n")
    return 0


def secret(call: Invocation) -> Generator[Request, Any, int]:
    """``secret NAME``: what is in a file of the body's secrets; code 1 when it is not there."""
    if call.argv[1] not in call.files:
        return 1
    yield Write("stdout", call.files[call.argv[1]])
    return 0


def size(call: Invocation) -> Generator[Request, Any, int]:
    """``size``: the terminal's rows and columns, once per input line."""
    while (yield Read()):
        found = call.size()
        yield Write("stdout", (f"{found.rows} {found.cols}" if found else "none").encode() + b"\n")
    return 0


def serve(call: Invocation) -> Generator[Request, Any, int]:
    """``serve PORT``: run until signalled; whoever dials the port hears what he says."""
    return (yield from idle(call))


def sh(call: Invocation) -> Generator[Request, Any, int]:
    """``sh``: copy input to output; of scripts it knows those that move archives, and the folder ``.`` is there."""
    if call.argv[1:2] != ("-c",) or call.argv[2] not in SCRIPTS.values():
        return (yield from cat(call))
    path, verb = call.argv[-2:]
    if verb == "put":
        return (yield from _take_archive(call, path))
    if path not in call.disk:
        return MISSING
    data = call.disk[path]
    for start in range(0, len(data), len(PATTERN)):
        yield Write("stdout", data[start : start + len(PATTERN)])
    return 0


def _take_archive(call: Invocation, path: str) -> Generator[Request, Any, int]:
    data = bytearray()
    while piece := (yield Read()):
        data += piece
    call.disk[path] = bytes(data)
    return 0


LINE = bytes(range(48, 111)) + b"\n"
"""64 bytes; `fill` repeats them."""
PATTERN = LINE * 1024

PROGRAMS: dict[str, Program] = {
    program.__name__: program
    for program in (cat, echo, emit, fill, idle, beat, linger, stubborn, scatter, mark, printenv, secret, size, serve)
}
"""Programs that every simulated body has; a target may add its own. ``sh`` and ``bash`` copy input to output."""
PROGRAMS |= {"sh": sh, "bash": cat}
