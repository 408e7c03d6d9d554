"""Processes of a body without a holder: execs of the engine, known for as long as this executor is open.

They cannot be found again after a restart of SAC, but for the container's own command, whose output the engine keeps.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4
from weakref import WeakValueDictionary

import anyio
import anyio.lowlevel

from sac_core.contracts.process import Process
from sac_core.errors import LostError, UnavailableError, UnsupportedError
from sac_core.models.process import Chunk, Command, Exit, Stream
from sac_executor_docker.engine import Engine
from sac_executor_docker.frames import Frames
from sac_executor_docker.seeing import Container
from sac_executor_docker.streams import Hijacked, Streams
from sac_executor_docker.troubles import Refusal

MAIN = "main"
_MARK = "SAC_PROCESS"
_NAMES: dict[int, Stream] = {1: "stdout", 2: "stderr"}
_SIGNAL = (
    'for each in /proc/[0-9]*; do if tr "\\0" "\\n" 2>/dev/null < "$each/environ" | grep -qxF "$1"; '
    'then kill -s "$2" "${each#/proc/}" 2>/dev/null; fi; done'
)
_NOT_FOUND, _NOT_ALLOWED = 127, 126
_LATE, _ENDING, _POLL = 5.0, 12.0, 0.02


class DirectProcess(Process):
    """One exec. Its output is read once; it is signalled by the mark in its environment, with ``sh`` of the image."""

    def __init__(
        self,
        process_id: str,
        engine: Engine,
        container: Container,
        exec_id: str,
        stream: Hijacked,
        mark: str,
        tty: bool,
    ) -> None:
        self.id = process_id
        self.exec_id = exec_id
        self.gone = False
        self._engine, self._container, self._stream, self._mark, self._tty = engine, container, stream, mark, tty
        self._over = anyio.Event()
        self._exit: Exit | None = None

    async def output(self, since: int | None = 0) -> AsyncIterator[Chunk]:
        frames, offset = Frames(), 0
        while data := await self._stream.receive():
            pieces = [(0, memoryview(data))] if self._tty else frames.feed(data)
            for number, piece in pieces:
                chunk = Chunk("tty" if self._tty else _NAMES.get(number, "stdout"), offset, bytes(piece))
                offset = chunk.end
                yield chunk
        self._over.set()

    async def write(self, data: bytes) -> None:
        try:
            await self._stream.send(data)
        except anyio.BrokenResourceError:
            raise LostError("the process has ended") from None
        if self._over.is_set():
            raise LostError("the process has ended")

    async def eof(self) -> None:
        if self._tty:
            await self.write(b"\x04")
        else:
            self._stream.end_input()

    async def resize(self, cols: int, rows: int) -> None:
        if not self._tty:
            raise UnsupportedError("this process has no terminal")
        await self._engine.found("exec_resize", self.exec_id, height=rows, width=cols)

    async def signal(self, name: str) -> None:
        """Sent to it and to all that has its environment.

        Nobody waits until it is: the engine tells no end in a container before the output of what ended is read.
        """
        argv = ["sh", "-c", _SIGNAL, "sh", f"{_MARK}={self._mark}", name]
        try:
            made = await self._engine.call("exec_create", self._container.id, argv)
            await self._engine.call("exec_start", made["Id"], detach=True)
        except Refusal as refusal:
            if refusal.status not in (404, 409):
                raise

    async def wait(self) -> Exit:
        """Its end, asked for once its output has ended."""
        await self._over.wait()
        with anyio.move_on_after(_LATE):
            while self._exit is None:
                self._exit = await self._ask()
                await anyio.sleep(_POLL if self._exit is None else 0)
        return self._exit or Exit(reason="Lost")

    async def _ask(self) -> Exit | None:
        about = await self._engine.found("exec_inspect", self.exec_id)
        if about is None:
            return Exit(reason="Lost")
        code = about["ExitCode"]
        return None if about["Running"] or code is None else exit_of(code)

    async def detach(self) -> None:
        """Nothing to let go of: it is this executor's while it is open."""

    async def aclose(self) -> None:
        self.gone = True
        with anyio.CancelScope(shield=True):
            try:
                if not self._over.is_set():
                    await self.signal("KILL")
            finally:
                await self._stream.aclose()
                self._over.set()
            await self._reap()

    async def _reap(self) -> None:
        """Ask again until it has ended: what was started a moment ago was not there yet when it was signalled."""
        with anyio.move_on_after(_ENDING):
            for pause in (_POLL * 2**number for number in range(10)):
                self._exit = self._exit or await self._ask()
                if self._exit is not None:
                    return
                await anyio.sleep(pause)
                if pause > _POLL:
                    await self.signal("KILL")


def exit_of(code: int) -> Exit:
    """How a process ended, by the engine's word."""
    return Exit(code=code, reason="NotFound") if code == _NOT_FOUND else Exit.from_status(code)


class Direct:
    """Opens execs, one for each id."""

    def __init__(self, engine: Engine, streams: Streams) -> None:
        self._engine, self._streams = engine, streams
        self._processes: dict[tuple[str, str], DirectProcess] = {}
        self._locks: WeakValueDictionary[tuple[str, str], anyio.Lock] = WeakValueDictionary()

    async def open(self, container: Container, process_id: str, command: Command) -> Process:
        """The process of this id, started if there is none; others do not wait for it."""
        name = (container.id, process_id)
        async with self._locks.setdefault(name, anyio.Lock()):
            self._processes = {key: process for key, process in self._processes.items() if not process.gone}
            known = self._processes.get(name)
            if known is None:
                known = self._processes[name] = await self._start(container, process_id, command)
            return known

    async def _start(self, container: Container, process_id: str, command: Command) -> DirectProcess:
        mark, tty = uuid4().hex, command.tty is not None
        env = {**command.env, _MARK: mark, **({"TERM": "xterm-256color"} if tty else {})}
        try:
            made = await self._engine.call(
                "exec_create",
                container.id,
                list(command.argv),
                stdin=command.stdin,
                tty=tty,
                environment=env,
                workdir=command.cwd,
            )
            with anyio.CancelScope(shield=True):  # once it runs, somebody has to know of it
                stream = await self._streams.start_exec(made["Id"], tty=tty)
        except Refusal as refusal:
            raise _refused(refusal) from None
        process = DirectProcess(process_id, self._engine, container, made["Id"], stream, mark, tty)
        try:
            await anyio.lowlevel.checkpoint()
            if command.tty is not None:
                await process.resize(command.tty.cols, command.tty.rows)
        except BaseException:
            await process.aclose()
            raise
        return process


def _refused(refusal: Refusal) -> LostError | UnavailableError:
    if refusal.status in (404, 409):
        return LostError(f"the container does not run: {refusal.said}")
    return refusal
