"""Files of agents: what goes in and comes out is a tar stream, never held whole and never extracted by the server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator

from sac_core.models.file import FileStat


class Files(ABC):
    """Files of running agents.

    A relative path begins in the folder where the agent's commands run. Bytes of a path that are no UTF-8 are surrogate
    escapes, as in `os.fsdecode`. What is read and written is what the agent's own user may read and write. Errors
    name ``path``: `NotFoundError` (``FileNotFound``), `InvalidError` (``NotReadable``, ``NotWritable``, ``NotAFolder``,
    ``Special``, ``InTheWay``, ``NotAnArchive``), `UnavailableError` (``DiskFull``). `NotReadyError` when the agent does
    not run, `UnsupportedError` when its body has neither tar nor python3, `DeadlineError` when nothing moves for a
    minute.
    """

    @abstractmethod
    async def stat(self, agent: str, path: str) -> FileStat:
        """What is there."""

    @abstractmethod
    def get(self, agent: str, path: str) -> AsyncIterator[bytes]:
        """A tar archive of a file (one entry, its name) or of what is in a folder (entries below ``.``).

        Links in a folder stay links. What comes from an agent is not to be trusted: extract it with `tarfile`'s filter
        ``data``, or with care of your own. Close it (`contextlib.aclosing`) when you do not read it to its end.
        """

    @abstractmethod
    async def put(self, agent: str, path: str, tar: AsyncIterable[bytes]) -> None:
        """Extract a tar archive, not compressed, into a folder that is there; returns when all is written.

        Files that are there are replaced, modes and times are the archive's, owners are not. What was written when it
        failed or was cancelled stays.
        """
