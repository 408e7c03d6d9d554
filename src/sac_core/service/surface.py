"""`Sac` in this process: the surface of one principal in one tenant, over the services."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sac_core.contracts.sac import Exec, PluginInfo, Resources, Sac, Status
from sac_core.contracts.store import Scope
from sac_core.errors import NotFoundError
from sac_core.models.base import parse
from sac_core.models.change import Change, Synced
from sac_core.models.keys import KeyStatus
from sac_core.models.kind import AGENT, RECORDING, SECRET, SESSION, TARGET, Kind
from sac_core.models.process import Command
from sac_core.service import checkup, images, plugins
from sac_core.service.agents import AgentService
from sac_core.service.bodies import Body
from sac_core.service.execs import open_exec, run_exec
from sac_core.service.files import FileService
from sac_core.service.opener import enter_body, running_agent
from sac_core.service.recordings import RecordingService
from sac_core.service.resources import StoredResources, allow, watch
from sac_core.service.secret_delivery import environment
from sac_core.service.secrets import SecretService
from sac_core.service.services import Services
from sac_core.service.sessions import SessionService
from sac_core.service.target_service import TargetService
from sac_core.wire.exec import ExecRequest, ExecResult
from sac_core.wire.images import BuildRequest


class LocalSac(Sac):
    """SAC embedded in this process."""

    agents: AgentService
    sessions: SessionService
    secrets: SecretService
    recordings: RecordingService
    targets: TargetService
    files: FileService

    def __init__(self, services: Services, scope: Scope, *, version: str) -> None:
        self._services = services
        self._scope = scope
        self._version = version
        self.agents = AgentService(services, AGENT, scope)
        self.sessions = SessionService(services, SESSION, scope)
        self.secrets = SecretService(services, SECRET, scope)
        self.recordings = RecordingService(services, RECORDING, scope)
        self.targets = TargetService(services, TARGET, scope)
        self.files = FileService(services, scope)

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
        return StoredResources(self._services, self._kind(plural), self._scope)

    async def watch(
        self, *, kinds: Sequence[str] = (), label_selector: str = "", since: int | None = None
    ) -> AsyncIterator[Change[Any] | Synced]:
        registered = {kind.kind: kind for kind in self._services.registry.kinds.values()}
        unknown = next((name for name in kinds if name not in registered), None)
        if unknown is not None:
            raise NotFoundError(f"there is no kind {unknown!r}", field="kinds", hint=f"known: {', '.join(registered)}")
        wanted = [registered[name] for name in kinds or registered]
        for kind in wanted:
            allow(self._scope, kind.permission("list"))
        async for change in watch(self._services, self._scope, wanted, label_selector=label_selector, since=since):
            yield change

    async def exec(
        self,
        agent: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float = 600,
    ) -> ExecResult:
        body, command = await self._command(agent, argv, env, cwd, stdin=False)
        return await run_exec(body, command, timeout=timeout)

    @asynccontextmanager
    async def open_exec(
        self,
        agent: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        stdin: bool = True,
    ) -> AsyncIterator[Exec]:
        body, command = await self._command(agent, argv, env, cwd, stdin=stdin)
        async with open_exec(body, command) as running:
            yield running

    def build_image(
        self, runtime: str, *, executor: str | None = None, base: str | None = None, tag: str | None = None
    ) -> AsyncGenerator[str]:
        asked = {"runtime": runtime, "executor": executor, "base": base, "tag": tag}
        return images.build(self._services, self._scope, parse(BuildRequest, asked))

    async def plugins(self) -> tuple[PluginInfo, ...]:
        allow(self._scope, "plugins:list")
        return plugins.describe(self._services.registry, self._services.targets, self._services.stages)

    async def keys(self) -> KeyStatus:
        allow(self._scope, "keys:get")
        return await self._services.rotation.status()

    async def rotate_keys(self) -> KeyStatus:
        allow(self._scope, "keys:rotate")
        return await self._services.rotation.rotate()

    async def status(self) -> Status:
        allow(self._scope, "status:get")
        return Status(
            version=self._version,
            installation=self._services.store.installation,
            default_executor=self._services.default_executor,
            time=self._services.now(),
            findings=await checkup.findings(self._services),
        )

    async def _command(
        self, agent: str, argv: Sequence[str], env: Mapping[str, str] | None, cwd: str | None, *, stdin: bool
    ) -> tuple[Body, Command]:
        allow(self._scope, "agents:exec")
        asked = parse(ExecRequest, {"argv": tuple(argv), "cwd": cwd, "env": dict(env or {}), "stdin": stdin})
        known, launch = await running_agent(self._services, self._scope, agent)
        body = await enter_body(self._services, known)
        command = Command(
            argv=asked.argv,
            env={**await environment(self._services, known, launch, body), **asked.env},
            cwd=asked.cwd or launch.template.cwd,
            stdin=asked.stdin,
            overflow="block",
        )
        return body, command

    def _kind(self, plural: str) -> Kind:
        kinds = self._services.registry.kinds
        if plural not in kinds:
            raise NotFoundError(f"there is no kind {plural!r}", hint=f"known: {', '.join(sorted(kinds))}")
        return kinds[plural]
