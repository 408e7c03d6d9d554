"""`sac.exec.v1`: one command over a socket, lossless, ends with its socket (design section 6).

The first text frame is the request; then binary frames whose first byte is the stream: 0 stdin, 1 stdout, 2 stderr.
Text frames after the first: ``eof`` and ``signal`` from the client, ``exit`` and ``error`` from the server, and from
the client ``ack {bytes}``: output bytes consumed since the start, which keeps at most `WINDOW` on the way.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from sac_core.errors import InvalidError
from sac_core.models.base import Model, parse
from sac_core.models.names import Argv, Environment
from sac_core.wire import terminal

SUBPROTOCOL: Final = "sac.exec.v1"
MAX_OUTPUT: Final = 1024 * 1024
"""The most output that the form without a socket returns, per stream."""

STDIN: Final = 0
STDOUT: Final = 1
STDERR: Final = 2

_STREAMS: dict[str, int] = {"stdout": STDOUT, "stderr": STDERR}
_NAMES: dict[int, Literal["stdout", "stderr"]] = {STDOUT: "stdout", STDERR: "stderr"}


class ExecRequest(Model):
    """What to run; ``stdin`` False is an empty input."""

    argv: Argv
    cwd: str | None = None
    env: Environment = Field(default_factory=dict)
    stdin: bool = False


class ExecResult(Model):
    """A finished command: its exit and its output, which is text with undecodable bytes replaced.

    ``truncated`` says that a stream had more than 1 MiB.
    """

    code: int | None = None
    signal: str | None = None
    reason: str = ""
    stdout: str = ""
    stderr: str = ""
    truncated: bool = False


def decode_request(text: str) -> ExecRequest:
    """The first frame; raises `InvalidError` that names the field."""
    return parse(ExecRequest, terminal.control(text))


def encode_output(stream: str, data: bytes) -> bytes:
    """A binary frame of the server."""
    return bytes((_STREAMS[stream],)) + data


def decode_output(frame: bytes) -> tuple[Literal["stdout", "stderr"], bytes]:
    """A binary frame of the server; raises `InvalidError` for a stream that we do not know."""
    if not frame or frame[0] not in _NAMES:
        raise InvalidError("a binary frame starts with 1 (stdout) or 2 (stderr)")
    return _NAMES[frame[0]], frame[1:]


def encode_input(data: bytes) -> bytes:
    """A binary frame of the client."""
    return b"\0" + data


def decode_input(frame: bytes) -> bytes:
    """A binary frame of the client; raises `InvalidError` when it is not stdin."""
    if not frame or frame[0] != STDIN:
        raise InvalidError("a binary frame of the client starts with byte 0 (stdin)")
    return frame[1:]
