"""Reaching a port of a body. Bodies share this machine's ports: only what the body itself listens on is its port."""

from __future__ import annotations

from collections.abc import Collection

import anyio
from anyio import to_thread
from anyio.abc import ByteStream

from sac_core.builtin.process import host
from sac_core.builtin.process.folder import BodyFolder
from sac_core.builtin.process.listening import Listener, listeners, sockets_of
from sac_core.errors import NotFoundError, NotReadyError

_KNOWN = 1000


class Dialer:
    """Connects, and remembers which listeners are of which body: looking through all processes takes a while."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], int] = {}

    async def dial(self, folder: BodyFolder, port: int) -> ByteStream:
        """A stream to what the body listens on; raises `NotReadyError` when that is nothing."""
        refused: OSError | None = None
        for address in await to_thread.run_sync(self._addresses, folder, port):
            try:
                return await anyio.connect_tcp(address, port)
            except OSError as error:
                refused = error
        raise nothing_listens(port) from refused

    def _addresses(self, folder: BodyFolder, port: int) -> list[str]:
        """Where to connect to."""
        if not host.LINUX:
            return ["127.0.0.1", "::1"]
        found = listeners(port)
        if not found:
            return []
        known = self._known.get((folder.uid, port))
        if not any(listener.inode == known for listener in found):
            known = self._find(folder, port, found)
        return [listener.address for listener in found if listener.inode == known]

    def _find(self, folder: BodyFolder, port: int, found: Collection[Listener]) -> int:
        """The inode of the listener that is the body's; remembered."""
        holder = folder.holder()
        pids = {*host.strays(folder.uid), *(host.descendants(holder.pid) if holder else ())}
        sockets = sockets_of(pids)
        own = next((listener.inode for listener in found if listener.inode in sockets), None)
        if own is None:
            raise NotReadyError(
                f"what listens on port {port} of this machine is not the agent's",
                reason="NothingListens",
                field="port",
                hint="agents of the process executor share the machine's ports: start the agent's server on a free one",
            )
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[folder.uid, port] = own
        return own


def nothing_listens(port: int) -> NotReadyError:
    """Nobody answers there."""
    return NotReadyError(
        f"nothing listens on port {port} of the agent",
        reason="NothingListens",
        field="port",
        hint="start a server in it, on 127.0.0.1 or 0.0.0.0",
    )


def undeclared(port: int) -> NotFoundError:
    """A port that the agent does not name."""
    return NotFoundError(f"the agent declares no port {port}", field="port", hint="add it to spec.ports")
