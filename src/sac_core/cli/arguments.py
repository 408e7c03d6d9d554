"""The arguments that every command takes, and the order that the parser wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

_GLOBAL = ("--server", "--token", "--data-dir")
_FLAGS = ("--debug",)
COMMON = Group("Common options", sort_key=99)


@Parameter(name="*", group=COMMON)
@dataclass(frozen=True)
class Common:
    """Which server, and how errors are shown.

    Parameters
    ----------
    server
        Address of a server; without it, the server of the data directory. Also SAC_SERVER.
    token
        Token for that server. Also SAC_TOKEN.
    data_dir
        Where SAC keeps everything. Also SAC_DATA_DIR.
    debug
        Show where an error comes from.
    """

    server: str | None = None
    token: str | None = None
    data_dir: Path | None = None
    debug: Annotated[bool, Parameter(negative=())] = False


HERE = Common()

Tail = Annotated[tuple[str, ...], Parameter(name="--command", show=False)]
"""What follows ``--`` on the command line."""
Switch = Annotated[bool, Parameter(negative=())]
"""An option without a value that has no ``--no-`` form."""


def rearranged(argv: Sequence[str]) -> list[str]:
    """Move common options from before the command to its end; what follows ``--`` becomes options, kept whole."""
    head, tail = _split(list(argv))
    leading: list[str] = []
    while head and head[0].split("=")[0] in (*_GLOBAL, *_FLAGS):
        size = 2 if head[0] in _GLOBAL else 1
        leading += head[:size]
        head = head[size:]
    return [*head, *leading, *(f"--command={part}" for part in tail)]


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    at = argv.index("--") if "--" in argv else len(argv)
    return argv[:at], argv[at + 1 :]
