"""`Sac` over HTTP, and `connect`, which opens it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from sac_core.client import images
from sac_core.client.address import parse_address
from sac_core.client.agents import HttpAgents
from sac_core.client.connection import Connection, open_connection
from sac_core.client.events import watch
from sac_core.client.exec import open_exec
from sac_core.client.files import HttpFiles
from sac_core.client.kinds import RemoteKind, remote_kind
from sac_core.client.recordings import HttpRecordings
from sac_core.client.resources import HttpResources, segments
from sac_core.client.secrets import HttpSecrets
from sac_core.client.sessions import HttpSessions
from sac_core.client.targets import HttpTargets
from sac_core.contracts.sac import Exec, PluginInfo, Resources, Sac, Status
from sac_core.errors import NotFoundError
from sac_core.models.base import parse
from sac_core.models.keys import KeyStatus
from sac_core.wire.exec import ExecRequest, ExecResult
from sac_core.wire.images import BuildRequest


class HttpSac(Sac):
    """SAC on a server, in the name of whom the token belongs to."""

    agents: HttpAgents
    sessions: HttpSessions
    secrets: HttpSecrets
    recordings: HttpRecordings
    targets: HttpTargets
    files: HttpFiles

    def __init__(self, connection: Connection, kinds: Sequence[RemoteKind]) -> None:
        self.agents = HttpAgents(connection)
        self.sessions = HttpSessions(connection)
        self.secrets = HttpSecrets(connection)
        self.recordings = HttpRecordings(connection)
        self.targets = HttpTargets(connection)
        self.files = HttpFiles(connection)
        self.kinds = tuple(kinds)
        self._connection = connection

    def resources(self, plural: str) -> Resources[Any]:
        known: dict[str, Resources[Any]] = {
            "agents": self.agents,
            "sessions": self.sessions,
            "secrets": self.secrets,
            "recordings": self.recordings,
            "targets": self.targets,
        }
        if plural in known:
            return known[plural]
        for kind in self.kinds:
            if kind.plural == plural:
                return HttpResources(self._connection, kind)
        names = ", ".join(kind.plural for kind in self.kinds)
        raise NotFoundError(f"there is no kind {plural!r}", field="kind", hint=f"known: {names}")

    def watch(
        self, *, kinds: Sequence[str] = (), label_selector: str = "", since: int | None = None
    ) -> AsyncGenerator[Any]:
        return watch(self._connection, kinds=kinds, label_selector=label_selector, since=since)

    async def exec(
        self,
        agent: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float = 600,
    ) -> ExecResult:
        asked = _request(argv, env, cwd, stdin=False)
        body = {**asked.model_dump(mode="json", exclude={"stdin"}, exclude_none=True), "timeout": timeout}
        path = segments("agents", agent, "exec")
        answer = await self._connection.request("POST", path, json=body, timeout=timeout + 10)
        return parse(ExecResult, answer)

    def open_exec(
        self,
        agent: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        stdin: bool = True,
    ) -> AbstractAsyncContextManager[Exec]:
        return open_exec(self._connection, agent, _request(argv, env, cwd, stdin=stdin))

    def build_image(
        self, runtime: str, *, executor: str | None = None, base: str | None = None, tag: str | None = None
    ) -> AsyncGenerator[str]:
        asked = {"runtime": runtime, "executor": executor, "base": base, "tag": tag}
        return images.build(self._connection, parse(BuildRequest, asked))

    async def plugins(self) -> tuple[PluginInfo, ...]:
        answer = await self._connection.request("GET", "/plugins")
        return tuple(parse(PluginInfo, item, field="plugin") for item in answer["items"])

    async def keys(self) -> KeyStatus:
        return parse(KeyStatus, await self._connection.request("GET", "/keys"))

    async def rotate_keys(self) -> KeyStatus:
        return parse(KeyStatus, await self._connection.request("POST", "/keys/rotate"))

    async def status(self) -> Status:
        return parse(Status, await self._connection.request("GET", "/status"))

    async def port_link(self, agent: str, port: int) -> str:
        """A link to a port of an agent, which signs a browser in there: once, within ten minutes."""
        answer = await self._connection.request("POST", segments("agents", agent, "ports", str(port), "links"))
        return str(answer["url"])

    async def sign_in_code(self) -> str:
        """A single-use code for the console's sign-in link."""
        answer = await self._connection.request("POST", "/signin-codes")
        return str(answer["code"])


@asynccontextmanager
async def connect(
    url: str, token: str | None = None, *, socket: Path | None = None, insecure: bool = False
) -> AsyncIterator[HttpSac]:
    """SAC on the server at ``url``, until the context is left.

    ``socket`` reaches it by a unix socket instead; ``url`` then only names it. A token is never sent unencrypted to
    another machine unless ``insecure``. Raises `UnavailableError` when nobody answers, `UnauthenticatedError` for a
    wrong token.
    """
    address = parse_address(url, socket=socket, token=token, insecure=insecure)
    async with open_connection(address, token) as connection:
        answer = await connection.request("GET", "/kinds")
        yield HttpSac(connection, [remote_kind(kind) for kind in answer["items"]])


def _request(argv: Sequence[str], env: Mapping[str, str] | None, cwd: str | None, *, stdin: bool) -> ExecRequest:
    return parse(ExecRequest, {"argv": tuple(argv), "env": dict(env or {}), "cwd": cwd, "stdin": stdin})
