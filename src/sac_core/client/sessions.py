"""Sessions over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from sac_core.client.connection import Connection
from sac_core.client.kinds import SESSION_KIND
from sac_core.client.resources import HttpResources
from sac_core.client.terminal import open_terminal
from sac_core.contracts.sac import Sessions, Terminal
from sac_core.models.process import TtySize
from sac_core.models.recording import RecordingPolicy
from sac_core.models.session import Session
from sac_core.wire.terminal import Role


class HttpSessions(HttpResources[Session], Sessions):
    """Lasting uses of a server's agents."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, SESSION_KIND)

    async def create(
        self,
        agent: str,
        *,
        command: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        tty: TtySize | tuple[int, int] | None = None,
        recording: RecordingPolicy | None = None,
        idempotency_key: str | None = None,
    ) -> Session:
        spec: dict[str, Any] = {"agent": agent, "command": command and list(command), "cwd": cwd, "tty": _size(tty)}
        spec["recording"] = recording
        given = {name: value for name, value in spec.items() if value is not None}
        return await self.create_from({"spec": {**given, "env": dict(env or {})}}, idempotency_key=idempotency_key)

    def attach(
        self, name: str, *, since: int | None = None, mode: Role | None = None
    ) -> AbstractAsyncContextManager[Terminal]:
        return open_terminal(self._connection, name, since=since, mode=mode)


def _size(tty: TtySize | tuple[int, int] | None) -> dict[str, int] | None:
    if tty is None:
        return None
    return tty.to_wire() if isinstance(tty, TtySize) else {"cols": tty[0], "rows": tty[1]}
