"""`sac cp`: files between an agent and this machine, both ways."""

from __future__ import annotations

import re
import time
from typing import Annotated

from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.connecting import connected
from sac_core.cli.copying import PIPE, Remote, download, upload
from sac_core.cli.progress import Progress
from sac_core.cli.signals import ended_by_signals
from sac_core.errors import InvalidError

Place = Annotated[str, Parameter(allow_leading_hyphen=True)]
_REMOTE = re.compile(r"([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?):(.*)\Z", re.DOTALL)
_SHOW_EVERY = 0.1
_UNITS = ("KiB", "MiB", "GiB", "TiB")


async def cp(source: Place, target: Place, /, *, common: Common = HERE) -> int:
    """Copy files between an agent and this machine; a folder whole, with modes, times and links.

    One of both is AGENT:PATH, whose relative path begins where the agent works. As with cp -r, what is copied into a
    folder that is there keeps its name, else it gets that of the target; DIR/. is what is in a folder. A - is the
    standard output or input: what is in a file, or a tar archive of a folder. What comes from an agent is extracted
    with care: links and names that would leave the target end the copying.

    Parameters
    ----------
    source
        AGENT:PATH, or a file or folder of this machine, or -; ./a:b is a file of this machine.
    target
        The same.
    """
    there, here = _remote(source), _remote(target)
    if (there is None) == (here is None):
        raise InvalidError("one of both must be AGENT:PATH", field="SOURCE", reason="Usage", hint="sac cp a1:log.txt .")
    with Progress() as progress:
        moved = _nothing if target == PIPE else _Moved(progress)
        async with ended_by_signals() as ended, connected(common) as sac:
            if there is not None:
                await download(sac.files, there, target, moved)
            elif here is not None:
                await upload(sac.files, source, here, moved)
    return ended.status


def _remote(text: str) -> Remote | None:
    found = _REMOTE.match(text) if text != PIPE else None
    return Remote(found[1], found[2] or ".") if found else None


def _nothing(count: int) -> None:
    """What is copied is shown itself."""


class _Moved:
    """Shows how much has been copied, not more than some times in a second."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bytes = 0
        self._next = 0.0

    def __call__(self, count: int) -> None:
        self._bytes += count
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SHOW_EVERY
            self._progress.show(f"Copied {readable(self._bytes)}")


def readable(count: int) -> str:
    """A number of bytes for people: ``12.3 MiB``."""
    if count < 1024:
        return f"{count} bytes"
    power = min((count.bit_length() - 1) // 10, len(_UNITS))
    return f"{count / 1024**power:.1f} {_UNITS[power - 1]}"
