"""What the end of a command says: nothing wrong, or an error that names the path."""

from __future__ import annotations

import re

from sac_core.errors import InvalidError, LostError, NotFoundError, SacError, UnavailableError
from sac_core.models.process import Exit
from sac_core.service.archives.in_body import CLOSED, MISSING, NOT_A_FOLDER, SPECIAL
from sac_core.service.archives.tools import NO_TOOL, Verb, no_tool, shown

_KEPT = 4096
_SHOWN = 400

_HARMLESS = re.compile(r"tar: .*(file changed as we read it|[Ff]ile removed before we read it|socket ignored)")
"""Files that change while they are read are copied as they were found: the archive is whole."""
_FULL = re.compile(r"No space left on device|Wrote only|Disk quota exceeded|File too large")
_REFUSED = re.compile(r"Permission denied|Read-only file system|Operation not permitted")
_IN_THE_WAY = re.compile(r"File exists|Is a directory|Not a directory|Directory not empty|Cannot unlink")
_LEAVES = re.compile(r"contains '\.\.'|name with '\.\.'|leaves the folder|contains \.\.")
_NO_ARCHIVE = re.compile(
    r"not look like a tar|not a tar archive|invalid tar|[Uu]nexpected (EOF|end)|short read|is compressed|Damaged"
    r"|corrupt|Unrecognized archive|Truncated|checksum"
)


class Said:
    """What a command said on its error output: the beginning of it, for people, from a body that may be hostile."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, data: bytes) -> None:
        """Keep what there is room for."""
        self._bytes += data[: max(0, _KEPT - len(self._bytes))]

    @property
    def lines(self) -> list[str]:
        """Its lines, without what a terminal would obey."""
        text = self._bytes.decode(errors="replace")
        cleaned = ("".join(sign for sign in line if sign.isprintable()).strip() for line in text.splitlines())
        return [line for line in cleaned if line]

    @property
    def text(self) -> str:
        return "; ".join(self.lines)[:_SHOWN]


def failure(verb: Verb, path: str, exit: Exit, said: Said) -> SacError | None:
    """The error that an end means; None for a good one."""
    if exit.code == 0 or (verb == "get" and exit.code == 1 and _all_harmless(said)):
        return None
    name = shown(path)
    known: dict[int, SacError] = {
        MISSING: NotFoundError(f"there is no {name!r} in the agent", reason="FileNotFound", field="path"),
        CLOSED: InvalidError(f"{name!r} may not be read by the agent's user", reason="NotReadable", field="path"),
        SPECIAL: InvalidError(f"{name!r} is neither a file nor a folder", reason="Special", field="path"),
        NOT_A_FOLDER: InvalidError(f"{name!r} is not a folder", reason="NotAFolder", field="path"),
        NO_TOOL: no_tool(),
    }
    if exit.code in known:
        return known[exit.code]
    if exit.reason == "NotFound":
        return no_tool()
    return _told(verb, name, exit, said)


def _told(verb: Verb, name: str, exit: Exit, said: Said) -> SacError:
    text = f"{name}: {said.text or 'it ended without saying why'}"
    if _FULL.search(text):
        return UnavailableError(text, reason="DiskFull", field="path", hint="make room for it")
    if _REFUSED.search(text):
        reason = "NotWritable" if verb == "put" else "NotReadable"
        return InvalidError(text, reason=reason, field="path", hint="the agent's own user may not")
    if verb == "put" and _NO_ARCHIVE.search(text):
        return InvalidError(text, reason="NotAnArchive", field="tar", hint="send a tar archive that is not compressed")
    if verb == "put" and _LEAVES.search(text):
        return InvalidError(text, reason="Refused", field="tar", hint="name its entries without ..")
    if verb == "put" and _IN_THE_WAY.search(text):
        return InvalidError(text, reason="InTheWay", field="path", hint="remove what is there first")
    how = f"by {exit.signal}" if exit.signal else f"with {exit.code}"
    return LostError(f"{text} (ended {how})", field="path")


def _all_harmless(said: Said) -> bool:
    return bool(said.lines) and all(_HARMLESS.match(line) for line in said.lines)
