"""A SAC in memory, behind the one programming surface: what the server is tested against."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio

from sac_core.contracts.authenticator import Credentials
from sac_core.contracts.conversation import Conversation
from sac_core.contracts.files import Files
from sac_core.contracts.sac import (
    Agents,
    Exec,
    PluginInfo,
    Recordings,
    Resources,
    Sac,
    Sessions,
    Status,
    Targets,
    Terminal,
)
from sac_core.core.place import Place
from sac_core.core.wiring import Core
from sac_core.errors import (
    ConflictError,
    ExpiredError,
    InvalidError,
    LostError,
    NotFoundError,
    NotReadyError,
    UnauthenticatedError,
)  # fmt: skip
from sac_core.hooks.registry import Registry
from sac_core.models.agent import Agent, ExecutorRef
from sac_core.models.base import parse
from sac_core.models.body import Probe
from sac_core.models.cause import Timeline
from sac_core.models.change import Change, Page, Synced
from sac_core.models.conversation import Completed, Decision, Event, Permission, Started, Text
from sac_core.models.file import FileStat
from sac_core.models.keys import KeyStatus
from sac_core.models.kind import AGENT, KINDS, RECORDING, SECRET, SESSION, TARGET, Kind
from sac_core.models.placement import Placement
from sac_core.models.principal import ALL, Principal
from sac_core.models.process import Chunk, Exit, TtySize
from sac_core.models.session import Session
from sac_core.service.signins import SignIns
from sac_core.settings import Settings
from sac_core.testing.fixtures import MemoryState
from sac_core.wire import terminal as wire
from sac_core.wire.exec import ExecResult

TOKEN = "canary-token-of-the-local-user-000"
OTHER_TOKEN = "canary-token-of-another-tenant-111"
VIEWER_TOKEN = "canary-token-of-a-watcher-22222222"

LOCAL = Principal("user", "local", permissions=frozenset({ALL}))
OTHER = Principal("user", "other", tenant="other", tenants=frozenset({"other"}), permissions=frozenset({ALL}))
VIEWER = Principal("user", "viewer", permissions=frozenset({"agents:get", "agents:list", "sessions:list"}))
PRINCIPALS = {TOKEN: LOCAL, OTHER_TOKEN: OTHER, VIEWER_TOKEN: VIEWER}


class FakeTerminal(Terminal):
    """A terminal whose events a test puts in, and whose calls it reads."""

    def __init__(self, name: str = "s1", role: wire.Role = "control", offset: int = 0) -> None:
        self.offset, self.end, self.role, self.session, self.tty = offset, offset, role, name, TtySize(cols=80, rows=24)
        self._into, self._events = anyio.create_memory_object_stream[wire.TerminalEvent | Exception](10_000)
        self.calls: list[tuple[Any, ...]] = []
        self.written = bytearray()
        self.taken = 0
        self.gate: anyio.Event | None = None

    def tell(self, *events: wire.TerminalEvent | Exception) -> None:
        for event in events:
            self._into.send_nowait(event)

    def close(self) -> None:
        self._into.close()
        self._events.close()

    async def __aiter__(self) -> AsyncIterator[wire.TerminalEvent]:
        async for event in self._events:
            if isinstance(event, Exception):
                raise event
            self.taken += 1
            yield event
            if isinstance(event, wire.Exited):
                return

    async def write(self, data: bytes) -> None:
        if self.gate is not None:
            await self.gate.wait()
        self.written += data

    async def resize(self, cols: int, rows: int) -> None:
        self.calls.append(("resize", cols, rows))

    async def signal(self, name: str) -> None:
        self.calls.append(("signal", name))

    async def eof(self) -> None:
        self.calls.append(("eof",))

    async def ack(self, offset: int) -> None:
        self.calls.append(("ack", offset))

    async def take(self) -> None:
        self.role = "control"
        self.calls.append(("take",))
        self.tell(wire.RoleChanged("control"))


class FakeExec(Exec):
    """`cat`, or what a test puts in; `false` ends with 1."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.argv = list(argv)
        self.signals: list[str] = []
        self.closed = False
        self._into, self._chunks = anyio.create_memory_object_stream[Chunk](0)
        self._offset = 0

    def close(self) -> None:
        self.closed = True
        self._into.close()
        self._chunks.close()

    async def output(self) -> AsyncIterator[Chunk]:
        if self.argv[0] == "yes":
            while True:
                yield self._chunk(b"y\n" * 16384)
        if self.argv[0] == "cat":
            async for chunk in self._chunks:
                yield chunk
            return
        yield self._chunk(" ".join(self.argv).encode())
        yield Chunk("stderr", self._offset, b"oops")

    def _chunk(self, data: bytes) -> Chunk:
        self._offset += len(data)
        return Chunk("stdout", self._offset - len(data), data)

    async def write(self, data: bytes) -> None:
        if self.argv[0] == "deaf":
            raise LostError("it has ended")
        await self._into.send(self._chunk(data))

    async def eof(self) -> None:
        self._into.close()

    async def signal(self, name: str) -> None:
        self.signals.append(name)

    async def wait(self) -> Exit:
        return Exit(code=1 if self.argv[0] == "false" else 0)


class FakeConversation(Conversation):
    """Says what it is told; ``ask`` asks first, ``wait`` waits for a cancel, ``break`` breaks."""

    def __init__(self) -> None:
        self.closed = False
        self._answers, self._answered = anyio.create_memory_object_stream[str](10)

    def close(self) -> None:
        self.closed = True
        self._answers.close()
        self._answered.close()

    async def send(self, text: str) -> AsyncGenerator[Event]:
        yield Started(conversation="c1")
        if text == "break":
            raise LostError("it has ended")
        if text == "ask":
            yield Permission(request="r1", tool="Bash", input={"command": "ls"})
        if text in ("ask", "wait"):
            text = await self._answered.receive()
        yield Text(text=text)
        yield Completed(outcome="cancelled" if text == "cancelled" else "done")

    async def answer(self, request: str, decision: Decision) -> None:
        await self._answers.send(f"{request} {decision.allow} {decision.message}")

    async def cancel(self) -> None:
        await self._answers.send("cancelled")


@dataclass
class World:
    """All that the fake SAC remembers, by tenant, kind and name."""

    things: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    changes: list[tuple[str, Change[Any]]] = field(default_factory=list)
    version: int = 1
    changed: anyio.Event = field(default_factory=anyio.Event)
    terminals: list[FakeTerminal] = field(default_factory=list)
    make_terminal: Callable[[str], FakeTerminal] = FakeTerminal
    execs: list[FakeExec] = field(default_factory=list)
    conversations: list[FakeConversation] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    logs: list[Chunk | Exception] = field(default_factory=list)
    files: dict[str, Sequence[bytes | Exception]] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    passed: int = 0
    refusal: Exception | None = None
    gate: anyio.Event | None = None
    open_streams: int = 0
    watch_error: Exception | None = None

    def put(self, tenant: str, verb: Any, thing: Any) -> Any:
        self.version += 1
        metadata = thing.metadata.model_copy(update={"resource_version": str(self.version), "namespace": tenant})
        thing = thing.model_copy(update={"metadata": metadata})
        key = (tenant, thing.kind, metadata.name)
        if verb == "DELETED":
            self.things.pop(key, None)
        else:
            self.things[key] = thing
        self.changes.append((tenant, Change(verb, self.version, thing)))
        changed, self.changed = self.changed, anyio.Event()
        changed.set()
        return thing


class FakeThings(Resources[Any]):
    def __init__(self, world: World, tenant: str, kind: Kind) -> None:
        self._world, self._tenant, self._kind = world, tenant, kind

    async def create_from(self, document: Mapping[str, Any], *, idempotency_key: str | None = None) -> Any:
        self._world.keys.append(idempotency_key)
        given = dict(document)
        if self._kind.generate_name:
            given.setdefault("metadata", {"name": f"s{len(self._world.things)}"})
        thing = parse(self._kind.model, given)
        if (self._tenant, thing.kind, thing.metadata.name) in self._world.things:
            raise ConflictError("the name is taken", reason="AlreadyExists", field="metadata.name")
        return self._world.put(self._tenant, "ADDED", thing)

    async def get(self, name: str) -> Any:
        try:
            return self._world.things[self._tenant, self._kind.kind, name]
        except KeyError:
            raise NotFoundError(f"there is no {self._kind.singular} {name!r}") from None

    async def list(
        self, *, label_selector: str = "", field_selector: str = "", limit: int = 0, after: str | None = None
    ) -> Page[Any]:
        if label_selector == "(":
            raise InvalidError("it is malformed", field="labelSelector")
        found = [t for (tenant, kind, _), t in self._world.things.items() if (tenant, kind) == self._mine()]
        found = [thing for thing in found if after is None or thing.metadata.name > after]
        page = tuple(found[: limit or None])
        return Page(page, self._world.version, page[-1].metadata.name if len(page) < len(found) else None)

    def _mine(self) -> tuple[str, str]:
        return self._tenant, self._kind.kind

    def watch(self, *, label_selector: str = "", since: int | None = None) -> AsyncIterator[Change[Any] | Synced]:
        return follow(self._world, self._tenant, (self._kind.kind,), since)

    async def patch(self, name: str, patch: Mapping[str, Any], *, resource_version: str | None = None) -> Any:
        thing = await self.get(name)
        current = thing.metadata.resource_version
        if resource_version not in (None, current):
            raise ConflictError("it has changed", current=current)
        spec = parse(self._kind.spec, {**thing.spec.to_wire(), **patch.get("spec", {})}, field="spec")
        return self._world.put(self._tenant, "MODIFIED", thing.model_copy(update={"spec": spec}))

    async def replace_from(self, name: str, document: Mapping[str, Any], *, resource_version: str | None = None) -> Any:
        return await self.patch(name, {"spec": document.get("spec", {})}, resource_version=resource_version)

    async def delete(
        self, name: str, *, resource_version: str | None = None, keep_volumes: bool = False, abandon: bool = False
    ) -> None:
        self._world.put(self._tenant, "DELETED", await self.get(name))


class FakeAgents(FakeThings, Agents):
    async def create(self, name: str, spec: Any = None, **_: Any) -> Agent:
        raise NotImplementedError

    async def start(self, name: str) -> Agent:
        return cast(Agent, await self.patch(name, {"spec": {"state": "Running"}}))

    async def stop(self, name: str) -> Agent:
        return cast(Agent, await self.patch(name, {"spec": {"state": "Stopped"}}))

    async def restart(self, name: str) -> Agent:
        return await self.start(name)

    async def wait(self, name: str, phase: Any = "Running", *, timeout: float = 300) -> Agent:
        raise NotImplementedError

    @asynccontextmanager
    async def converse(self, name: str, *, resume: str | None = None) -> AsyncIterator[Conversation]:
        await self.get(name)
        if resume == "none":
            raise NotFoundError("there is no conversation 'none'", field="resume")
        conversation = FakeConversation()
        self._world.conversations.append(conversation)
        try:
            yield conversation
        finally:
            conversation.close()

    async def timeline(self, name: str) -> Timeline:
        agent = await self.get(name)
        return Timeline(agent=name, namespace=agent.metadata.namespace, uid=agent.metadata.uid)

    async def logs(self, name: str, *, follow: bool = False, since: int = 0) -> AsyncIterator[Chunk]:
        await self.get(name)
        for chunk in self._world.logs:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk
        self._world.open_streams += 1
        try:
            if follow:
                await anyio.sleep_forever()
        finally:
            self._world.open_streams -= 1


class FakeSessions(FakeThings, Sessions):
    async def create(self, agent: str, **_: Any) -> Session:
        raise NotImplementedError

    @asynccontextmanager
    async def attach(
        self, name: str, *, since: int | None = None, mode: wire.Role | None = None
    ) -> AsyncIterator[Terminal]:
        await self.get(name)
        terminal = self._world.make_terminal(name)
        terminal.role = mode or terminal.role
        terminal.offset = since or 0
        self._world.terminals.append(terminal)
        try:
            yield terminal
        finally:
            self._world.terminals.remove(terminal)
            terminal.close()


class FakeRecordings(FakeThings, Recordings):
    async def cast(self, name: str) -> AsyncIterator[bytes]:
        await self.get(name)
        yield b'{"version": 2, "width": 80, "height": 24}\n'


class FakeTargets(FakeThings, Targets):
    async def test(self, name: str) -> Probe:
        await self.get(name)
        return Probe(reachable=True)

    async def set_default(self, name: str, *, executor: str | None = None) -> ExecutorRef:
        await self.get(name)
        return ExecutorRef(name=executor or "process", target=name)


class FakeFiles(Files):
    """Files that a test puts in, and reads what was put."""

    def __init__(self, world: World, agents: FakeAgents) -> None:
        self._world, self._agents = world, agents

    async def stat(self, agent: str, path: str) -> FileStat:
        await self._agents.get(agent)
        if path not in self._world.files:
            raise NotFoundError(f"there is no {path!a}", reason="FileNotFound", field="path")
        return FileStat(type="file")

    async def get(self, agent: str, path: str) -> AsyncIterator[bytes]:
        await self.stat(agent, path)
        self._world.open_streams += 1
        try:
            for piece in self._world.files[path]:
                if isinstance(piece, Exception):
                    raise piece
                self._world.passed += len(piece)
                yield piece
        finally:
            self._world.open_streams -= 1

    async def put(self, agent: str, path: str, tar: AsyncIterable[bytes]) -> None:
        await self._agents.get(agent)
        self._world.open_streams += 1
        try:
            async for piece in tar:
                self._world.passed += len(piece)
                self._world.uploads.setdefault(path, bytearray()).extend(piece[:100])
                if self._world.refusal is not None:
                    raise self._world.refusal
                if self._world.gate is not None:
                    await self._world.gate.wait()
        finally:
            self._world.open_streams -= 1


class FakeSac(Sac):
    def __init__(self, world: World, principal: Principal, tenant: str) -> None:
        self._world, self._principal, self._tenant = world, principal, tenant
        self.agents = FakeAgents(world, tenant, AGENT)
        self.sessions = FakeSessions(world, tenant, SESSION)
        self.recordings = FakeRecordings(world, tenant, RECORDING)
        self.files = FakeFiles(world, self.agents)
        self.targets = FakeTargets(world, tenant, TARGET)

    def resources(self, plural: str) -> Resources[Any]:
        known: dict[str, Resources[Any]] = {
            "agents": self.agents,
            "sessions": self.sessions,
            "recordings": self.recordings,
            "targets": self.targets,
        }
        return known.get(plural) or FakeThings(self._world, self._tenant, SECRET)

    def watch(
        self, *, kinds: Sequence[str] = (), label_selector: str = "", since: int | None = None
    ) -> AsyncIterator[Change[Any] | Synced]:
        return follow(self._world, self._tenant, tuple(kinds), since)

    async def exec(
        self, agent: str, argv: Sequence[str], *, env: Any = None, cwd: Any = None, timeout: float = 600
    ) -> ExecResult:
        found = await self.agents.get(agent)
        if found.spec.state == "Stopped":
            raise NotReadyError("the agent is stopped")
        if argv[0] == "explode":
            raise RuntimeError("canary-of-an-inner-secret")
        if argv[0] == "sleep":
            self._world.open_streams += 1
            try:
                await anyio.sleep(timeout)
            finally:
                self._world.open_streams -= 1
        return ExecResult(code=0, stdout=" ".join(argv))

    @asynccontextmanager
    async def open_exec(
        self, agent: str, argv: Sequence[str], *, env: Any = None, cwd: Any = None, stdin: bool = True
    ) -> AsyncIterator[Exec]:
        running = FakeExec(argv)
        self._world.execs.append(running)
        try:
            yield running
        finally:
            running.close()

    async def build_image(
        self, runtime: str, *, executor: str | None = None, base: str | None = None, tag: str | None = None
    ) -> AsyncGenerator[str]:
        yield f"{tag or runtime} is built"

    async def plugins(self) -> tuple[PluginInfo, ...]:
        return (PluginInfo(name="process", family="executor", isolated=False),)

    async def keys(self) -> KeyStatus:
        return KeyStatus(source="SAC_KEYS", roots=(), waiting=0, done=True)

    async def rotate_keys(self) -> KeyStatus:
        return await self.keys()

    async def status(self) -> Status:
        return Status(version="0", installation="i", default_executor="process")


async def follow(
    world: World, tenant: str, kinds: tuple[str, ...], since: int | None
) -> AsyncIterator[Change[Any] | Synced]:
    if world.watch_error is not None:
        raise world.watch_error
    if since is not None and since > world.version:
        raise ExpiredError("that version is not known")
    world.open_streams += 1
    try:
        if since is None:
            for (where, kind, _), thing in list(world.things.items()):
                if where == tenant and (not kinds or kind in kinds):
                    yield Change("ADDED", int(thing.metadata.resource_version), thing)
        seen = world.version if since is None else since
        yield Synced(seen)
        while True:
            for where, change in list(world.changes):
                if change.version > seen and where == tenant and (not kinds or change.object.kind in kinds):
                    yield change
            seen = max(seen, world.version)
            await world.changed.wait()
    finally:
        world.open_streams -= 1


class FakeCore:
    """What the server uses of a core."""

    def __init__(self, folder: Path, kinds: Sequence[Kind] = KINDS, **settings: Any) -> None:
        self.settings = Settings(data_dir=folder, **settings)
        self.registry = Registry(kinds={kind.plural: kind for kind in kinds})
        self.signins = SignIns(MemoryState())
        self.place = Place(folder)
        opened = {Placement("process"): SimpleNamespace(isolated=False)}
        targets = SimpleNamespace(opened=opened, standard=lambda: "process")
        self.services = SimpleNamespace(default_executor="process", targets=targets)
        self.world = World()
        self.valid = dict(PRINCIPALS)

    def sac(self, principal: Principal, tenant: str | None = None, *, origin: str = "") -> Sac:
        if tenant is not None and not principal.may_enter(tenant):
            raise NotFoundError(f"there is no tenant {tenant!r}", field="namespace")
        return FakeSac(self.world, principal, tenant or principal.tenant)

    async def authenticate(self, credentials: Credentials) -> Principal:
        principal = self.valid.get(credentials.bearer or "")
        if principal is None:
            raise UnauthenticatedError("these credentials are not known here")
        return principal

    @property
    def real(self) -> Core:
        return cast(Core, self)


def agent(name: str = "a1") -> Agent:
    return parse(Agent, {"metadata": {"name": name}})


def session(name: str = "s1") -> Session:
    return parse(Session, {"metadata": {"name": name}, "spec": {"agent": "a1"}})
