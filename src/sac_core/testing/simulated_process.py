"""Processes of simulated bodies: the one in the outside world, and the handle that an executor gives out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from sac_core.contracts.process import Process
from sac_core.errors import InvalidError, LostError, UnsupportedError
from sac_core.models.process import SIGNALS, Chunk, Command, Exit, TtySize
from sac_core.testing.clock import SimulatedClock
from sac_core.testing.faults import PlannedCall
from sac_core.testing.simulated_log import Changes, SimulatedLog
from sac_core.testing.simulated_program import Invocation, Program, Read, Request, Sleep, Write

INPUT_CAPACITY = 256 * 1024
_HARMLESS = ("CONT", "WINCH", "STOP", "TSTP")


class WorldProcess:
    """A process as the outside world has it: its program is moved on whenever something happened, by whoever did it."""

    def __init__(
        self,
        command: Command,
        program: Program | None,
        call: Invocation,
        clock: SimulatedClock,
        ended: Callable[[Exit], None],
    ) -> None:
        self.command = command
        self.size: TtySize | None = command.tty
        self.log = SimulatedLog(command.overflow)
        self.exit: Exit | None = None
        self.changes = Changes()
        self._clock = clock
        self._ended = ended
        self._input = bytearray()
        self._input_ended = not command.stdin and command.tty is None
        self._request: Request | None = None
        self._awake_at: float | None = None
        call.size = lambda: self.size
        self._generator = program(call) if program else None

    def start(self) -> None:
        """Run until the program waits for something; one that is missing ends at once, as a shell would say it."""
        if self._generator is None:
            self.end(Exit(code=127, reason="NotFound"))
        else:
            self._resume(None)
            self.pump()

    def pump(self) -> None:
        """Move on as far as input, room and time allow."""
        while self.exit is None and self._request is not None and self._answer():
            pass
        self.changes.tell()

    def feed(self, data: bytes) -> int:
        """Offer input; how much was taken."""
        taken = data[: max(0, INPUT_CAPACITY - len(self._input))]
        if self.command.tty is not None:
            taken = self._type(taken)
        else:
            self._input += taken
        self.pump()
        return len(taken)

    def end_input(self) -> None:
        self._input_ended = True
        self.pump()

    def end(self, exit: Exit) -> None:
        """It ends now; what it wrote stays readable."""
        if self.exit is None:
            self.exit = exit
            self.changes.tell()
            self._ended(exit)

    def signal(self, name: str) -> None:
        if name not in _HARMLESS:
            self.end(Exit(signal=name))

    def _type(self, keys: bytes) -> bytes:
        """A terminal's line discipline, as far as tests need it: echo, Ctrl-C, Ctrl-D."""
        for key in keys:
            if key == 3:
                self.signal("INT")
            elif key == 4:
                self._input_ended = True
            else:
                self._input.append(10 if key == 13 else key)
                self._put("stdout", bytes([10 if key == 13 else key]))
        return keys

    def _answer(self) -> bool:
        request = self._request
        if isinstance(request, Write):
            if not self.log.has_room():
                return False
            self._put(request.stream, request.data)
            self._resume(None)
            return True
        return self._answer_read() if isinstance(request, Read) else self._answer_sleep(request)

    def _answer_read(self) -> bool:
        if not self._input and not self._input_ended:
            return False
        data, self._input = bytes(self._input), bytearray()
        self._resume(data)
        return True

    def _answer_sleep(self, request: Request | None) -> bool:
        if self._awake_at is None and isinstance(request, Sleep):
            self._awake_at = self._clock.seconds + request.seconds
            self._clock.call_at(self._awake_at, self.pump)
        if self._awake_at is None or self._clock.seconds < self._awake_at:
            return False
        self._awake_at = None
        self._resume(None)
        return True

    def _resume(self, answer: Any) -> None:
        assert self._generator is not None
        try:
            self._request = self._generator.send(answer)
        except StopIteration as stop:
            self._request = None
            self.end(Exit(code=int(stop.value)))

    def _put(self, stream: str, data: bytes) -> None:
        if self.command.tty is not None:
            self.log.append("tty", data.replace(b"\n", b"\r\n"))
        else:
            self.log.append("stderr" if stream == "stderr" else "stdout", data)


class SimulatedProcess(Process):
    """An executor's handle on a `WorldProcess`; dead when its executor instance is."""

    def __init__(
        self, id: str, world: WorldProcess, begin: Callable[[str], PlannedCall], forget: Callable[[], None]
    ) -> None:
        self.id = id
        self._world = world
        self._begin = begin
        self._forget = forget

    async def output(self, since: int | None = 0) -> AsyncIterator[Chunk]:
        call = self._begin("process.output")
        await call.reach("before")
        offset = self._world.log.end if since is None else since
        while True:
            chunk = self._world.log.read(offset)
            if chunk is not None:
                offset = chunk.end
                yield chunk
                self._world.log.consumed(offset)
                self._world.pump()
                await call.reach("chunk")
            elif self._world.exit is not None:
                return
            else:
                await self._world.changes.wait()

    async def write(self, data: bytes) -> None:
        call = self._begin("process.write")
        await call.reach("before")
        while data:
            if self._world.exit is not None:
                raise LostError(f"process {self.id} has ended")
            taken = self._world.feed(data)
            data = data[taken:]
            if data and not taken:
                await self._world.changes.wait()
        await call.reach("after")

    async def eof(self) -> None:
        await self._begin("process.eof").reach("before")
        self._world.end_input()

    async def resize(self, cols: int, rows: int) -> None:
        await self._begin("process.resize").reach("before")
        if self._world.command.tty is None:
            raise UnsupportedError(f"process {self.id} has no terminal")
        self._world.size = TtySize(cols=cols, rows=rows)

    async def signal(self, name: str) -> None:
        await self._begin("process.signal").reach("before")
        if name not in SIGNALS:
            raise InvalidError(f"{name!r} is no signal; known: {', '.join(SIGNALS)}", field="signal")
        self._world.signal(name)

    async def wait(self) -> Exit:
        await self._begin("process.wait").reach("before")
        while self._world.exit is None:
            await self._world.changes.wait()
        return self._world.exit

    async def detach(self) -> None:
        """Nothing to let go of: the handle holds no resource."""

    async def aclose(self) -> None:
        self._world.end(Exit(signal="KILL", reason="Deleted"))
        self._forget()
