"""The ways into bodies: one holder link per agent, or the processes themselves where an executor has no holder.

Kept per server and made again at need; nothing here must survive a restart.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import ByteStream, TaskGroup, TaskStatus

from sac_core.contracts.background import background
from sac_core.contracts.executor import Executor
from sac_core.contracts.process import Process
from sac_core.errors import SacError, UnavailableError
from sac_core.held import HolderLink, ProcessRecord, Silence, open_link
from sac_core.models.agent import Agent
from sac_core.models.body import Key
from sac_core.models.process import Command, Exit, TtySize
from sac_core.service.direct import KeptProcess
from sac_core.service.targets import Target

log = logging.getLogger("sac.bodies")

MAIN = "main"
"""The id of an agent's main process."""

PREPARING = "prepare-"
"""How the ids of processes begin that prepare a workspace."""

_OPEN_DEADLINE = 10.0


def key_of(agent: Agent) -> Key:
    """The key of an agent's body."""
    return Key(agent.metadata.namespace, agent.metadata.name, agent.metadata.uid)


@dataclass(frozen=True, slots=True)
class Running:
    """A process that a body remembers: its id, the end of its output, and its exit once it has ended."""

    id: str
    end: int
    exit: Exit | None
    size: TtySize | None = None


class Body(ABC):
    """A way into one body."""

    reattach: bool
    """Whether its processes are found again after a restart of the server."""
    folder = ""
    """The folder in the body where its holder's sockets are; empty: it has none."""

    def __init__(self, server: str) -> None:
        self.server = server
        """The id of this server, for whom its execs are named."""
        self.execs: set[str] = set()
        """Ids of the execs that this server has open in it."""

    @abstractmethod
    async def open(self, process_id: str, command: Command) -> Process:
        """Run a command; the same id again is the same process."""

    @abstractmethod
    async def find(self, process_id: str) -> Process | None:
        """A process that the body remembers."""

    @abstractmethod
    async def look(self, process_id: str) -> Running | None:
        """One process that the body remembers, as it is now."""

    @abstractmethod
    async def list(self) -> list[Running]:
        """Every process that the body remembers."""

    @abstractmethod
    async def dial(self, port: int) -> ByteStream:
        """A stream to a port of the body."""

    async def output_end(self, process_id: str) -> int:
        """The offset behind the last byte of output so far."""
        process = await self.look(process_id)
        return process.end if process is not None else 0


class HeldBody(Body):
    """Through the body's holder."""

    reattach = True

    def __init__(self, server: str, link: HolderLink) -> None:
        super().__init__(server)
        self.link = link
        self.folder = link.hello.folder

    async def open(self, process_id: str, command: Command) -> Process:
        return await self.link.open_process(process_id, command)

    async def find(self, process_id: str) -> Process | None:
        return await self.link.process(process_id)

    async def look(self, process_id: str) -> Running | None:
        record = await self.link.record(process_id)
        return _running(record) if record is not None else None

    async def list(self) -> list[Running]:
        return [_running(record) for record in await self.link.list()]

    async def dial(self, port: int) -> ByteStream:
        return await self.link.dial(port)


class DirectBody(Body):
    """Through the executor; the server keeps the logs, so a restart loses them."""

    reattach = False

    def __init__(
        self, server: str, executor: Executor, key: Key, group: TaskGroup, on_exit: Callable[[str, Exit], None]
    ) -> None:
        super().__init__(server)
        self._executor = executor
        self._key = key
        self._group = group
        self._on_exit = on_exit
        self._processes: dict[str, KeptProcess] = {}

    async def open(self, process_id: str, command: Command) -> Process:
        if process_id not in self._processes:
            process = await self._executor.open_process(self._key, process_id, command)
            if command.overflow == "block":
                return process
            if process_id not in self._processes:  # two who open it at once have one process, whose output is read once
                kept = KeptProcess(process, on_exit=self._on_exit, on_close=self._forget)
                self._processes[process_id] = kept
                self._group.start_soon(kept.run)
        return self._processes[process_id]

    async def find(self, process_id: str) -> Process | None:
        return self._processes.get(process_id)

    async def look(self, process_id: str) -> Running | None:
        return next((process for process in await self.list() if process.id == process_id), None)

    async def list(self) -> list[Running]:
        return [Running(p.id, p.end, p.exit) for p in self._processes.values()]

    async def dial(self, port: int) -> ByteStream:
        return await self._executor.dial(self._key, port)

    def leave(self) -> None:
        """Stop keeping logs; what runs goes on as far as the executor lets it."""
        for process in list(self._processes.values()):
            process.stop()

    def _forget(self, process_id: str) -> None:
        self._processes.pop(process_id, None)


def _running(record: ProcessRecord) -> Running:
    return Running(record.process, record.end, record.exit, record.size)


@dataclass(slots=True)
class _Entry:
    body: Body
    close: Callable[[], None]


@dataclass(slots=True)
class Bodies:
    """All ways into bodies that this server has open."""

    server: str
    group: TaskGroup
    on_exit: Callable[[str, str, Exit], None] = field(default=lambda uid, process, exit: None)
    on_lost: Callable[[str], None] = field(default=lambda uid: None)
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _locks: dict[str, anyio.Lock] = field(default_factory=dict)

    async def enter(self, agent: Agent, target: Target) -> Body:
        """The way into an agent's body, made when there is none.

        Raises `NotReadyError` when the body is not up yet, `LostError` when it is gone, `UnavailableError` when it does
        not answer in time.
        """
        uid = agent.metadata.uid
        async with self._locks.setdefault(uid, anyio.Lock()):
            if uid in self._entries:
                return self._entries[uid].body
            try:
                with anyio.fail_after(_OPEN_DEADLINE):
                    body: Body = await self.group.start(self._hold, key_of(agent), target.executor)
            except TimeoutError:
                silence = self._silence(key_of(agent))
                raise UnavailableError(f"{silence.holder} does not answer", retry_after=1, hint=silence.hint) from None
            return body  # it may be lost already: then its first use says so

    def entered(self, uid: str) -> Body | None:
        """The way into a body, if it is open."""
        entry = self._entries.get(uid)
        return entry.body if entry else None

    def leave(self, uid: str) -> None:
        """Close the way into a body; its processes go on."""
        entry = self._entries.pop(uid, None)
        lock = self._locks.get(uid)
        if lock is not None and not lock.locked():
            del self._locks[uid]
        if entry:
            entry.close()

    async def _hold(self, key: Key, executor: Executor, *, task_status: TaskStatus[Body]) -> None:
        """Keep the way into a body until it is lost or left; tells of its start once it can be used."""
        stream = await executor.open_holder(key)
        if stream is None:
            direct = DirectBody(self.server, executor, key, self.group, self._exits_of(key.uid))
            self._entries[key.uid] = _Entry(direct, direct.leave)
            task_status.started(direct)
            return
        with anyio.CancelScope() as scope:
            async with stream:
                await self._hold_link(key, stream, scope.cancel, task_status)
        if not scope.cancel_called:
            self.on_lost(key.uid)

    async def _hold_link(
        self, key: Key, stream: ByteStream, close: Callable[[], None], task_status: TaskStatus[Body]
    ) -> None:
        entry, uid, silence = None, key.uid, self._silence(key)
        try:
            async with open_link(stream, on_exit=self._exits_of(uid), silence=silence) as link:
                entry = self._entries[uid] = _Entry(HeldBody(self.server, link), close)
                task_status.started(entry.body)
                await link.closed.wait()
        except Exception as error:
            if entry is None:
                raise
            if isinstance(error, SacError):
                log.info("the link to body %s was lost: %s", uid, error)
            else:  # one body's fault must not take the others with it
                log.exception("a fault in the link to body %s", uid)
        finally:
            if entry is not None and self._entries.get(uid) is entry:
                del self._entries[uid]

    def _silence(self, key: Key) -> Silence:
        """A holder that does not answer is looked at at once, like one that was lost."""
        advice = f"it is stopped or starved: see `sac describe {key.agent}`, or replace it: sac restart {key.agent}"
        return Silence(f"the holder of agent {key.agent!r}", advice, lambda: self.on_lost(key.uid))

    def _exits_of(self, uid: str) -> Callable[[str, Exit], None]:
        return lambda process_id, exit: self.on_exit(uid, process_id, exit)


@asynccontextmanager
async def open_bodies(server: str) -> AsyncIterator[Bodies]:
    """Ways of a server into bodies, all closed at the end; the bodies go on."""
    async with background() as group:
        yield Bodies(server, group)
