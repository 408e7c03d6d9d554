"""`server.json`: where the server of a data directory is, for the command."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

FILE: Final = "server.json"


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """A running server. ``socket`` is its unix socket, if it has one; ``started`` is a time in UTC (ISO 8601).

    ``executor`` runs the agents that name none, ``isolated``: in sandboxes; ``why`` it is that one, a reason each.
    """

    url: str
    socket: str | None
    pid: int
    version: str
    started: str
    executor: str
    isolated: bool
    why: tuple[str, ...] = ()


@contextmanager
def announced(folder: Path, info: ServerInfo) -> Iterator[None]:
    """The file is there for as long as the context lasts, whole at any moment, readable by its user only."""
    path = folder / FILE
    new = folder / f".{FILE}.{os.getpid()}"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(info), file)
    new.replace(path)
    try:
        yield
    finally:
        if read_announced(folder).get("pid") == info.pid:
            path.unlink(missing_ok=True)


def read_announced(folder: Path) -> dict[str, Any]:
    """What the file says; empty when there is none. A server that was killed leaves it behind."""
    with suppress(OSError, ValueError):
        data = json.loads((folder / FILE).read_text())
        return data if isinstance(data, dict) else {}
    return {}
