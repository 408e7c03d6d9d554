"""Executors whose processes break a promise: what goes in, what comes out, how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from sac_core.contracts.process import Process
from sac_core.models.body import Key
from sac_core.models.process import Chunk, Command, Exit
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_process import SimulatedProcess

ENDLESS = 1 << 40


class VendorError(Exception):
    """What a vendor's library raises."""


class Unhandy(SimulatedExecutor):
    """Gives out another kind of process."""

    kind: Callable[..., SimulatedProcess] = SimulatedProcess

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        await super().open_process(key, process_id, command)
        body = self._running(key)
        world = body.processes[process_id]
        return type(self).kind(process_id, world, self._begin, lambda: body.forget(process_id, world))


class _Tailless(SimulatedProcess):
    async def output(self, since: int | None = 0) -> AsyncIterator[Chunk]:
        async for chunk in super().output(since):
            if self._world.exit is not None and chunk.end == self._world.log.end:
                return
            yield chunk


class LosesTail(Unhandy):
    """Stops reading when it hears of the exit."""

    kind = _Tailless


class _Hasty(SimulatedProcess):
    async def wait(self) -> Exit:
        return Exit(code=0)


class InventsExit(Unhandy):
    """Says that all went well."""

    kind = _Hasty


class _Merged(SimulatedProcess):
    async def output(self, since: int | None = 0) -> AsyncIterator[Chunk]:
        async for chunk in super().output(since):
            yield chunk._replace(stream="stdout") if chunk.stream == "stderr" else chunk


class MergesStreams(Unhandy):
    """Reads both pipes as one."""

    kind = _Merged


class LosesWhatWaits(SimulatedExecutor):
    """Treats ``block`` as ``drop``."""

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        return await super().open_process(key, process_id, command.model_copy(update={"overflow": "drop"}))


class RunsIdTwice(SimulatedExecutor):
    """Starts a process for every call."""

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        body = self._find(key)
        if body is not None:
            body.processes.pop(process_id, None)
        return await super().open_process(key, process_id, command)


class NeverDrops(SimulatedExecutor):
    """Lets every process wait for its reader."""

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        return await super().open_process(key, process_id, command.model_copy(update={"overflow": "block"}))


class KeepsAll(SimulatedExecutor):
    """Bounds neither what was written nor what is to be read."""

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        body = self._running(key)
        known = process_id in body.processes
        if not known:
            idle = command.model_copy(update={"argv": command.argv})
            process = self.target.process(idle, lambda exit: None, body.secrets.files)
            process.log.capacity = ENDLESS
            body.processes[process_id] = process
            process.start()
        return await super().open_process(key, process_id, command)


class _Greedy(SimulatedProcess):
    async def write(self, data: bytes) -> None:
        self._world._input += data
        self._world.pump()


class TakesAllInput(Unhandy):
    """Buffers whatever is written; knows no end of it."""

    kind = _Greedy


class _Textual(SimulatedProcess):
    async def write(self, data: bytes) -> None:
        await super().write(data.replace(b"\r\n", b"\n").replace(b"\x00", b""))


class TextInput(Unhandy):
    """Sends input as text."""

    kind = _Textual


class NoTerminals(SimulatedExecutor):
    """Gives pipes to who asked for a terminal."""

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        return await super().open_process(key, process_id, command.model_copy(update={"tty": None}))


class _Expectant(SimulatedProcess):
    async def output(self, since: int | None = 0) -> AsyncIterator[Chunk]:
        none = True
        async for chunk in super().output(0):
            none = False
            yield chunk
        if none:
            await asyncio.sleep(3600.0)


class ExpectsOutput(Unhandy):
    """Waits for a first byte, and begins with it wherever one asked to begin."""

    kind = _Expectant


class _Endless(SimulatedProcess):
    async def eof(self) -> None:
        return


class ForgetsEof(Unhandy):
    """Does not pass on that the input ended."""

    kind = _Endless


class OpensStdin(SimulatedExecutor):
    """Gives an input to who wants none, and an environment in ASCII."""

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        env = {name: text.encode("ascii", "replace").decode() for name, text in command.env.items()}
        return await super().open_process(key, process_id, command.model_copy(update={"stdin": True, "env": env}))


class _Blunt(SimulatedProcess):
    async def signal(self, name: str) -> None:
        await super().signal("QUIT")

    async def resize(self, cols: int, rows: int) -> None:
        return

    async def wait(self) -> Exit:
        exit = await super().wait()
        return Exit(code=exit.code, signal=exit.signal)


class KnowsOneSignal(Unhandy):
    """Ends whatever it is asked to signal, resizes nothing, and forgets why a process ended."""

    kind = _Blunt


class _Detaching(SimulatedProcess):
    async def aclose(self) -> None:
        return

    async def detach(self) -> None:
        self._world.end(Exit(signal="KILL"))


class ClosesTheWrongWay(Unhandy):
    """Takes leaving for ending, and ending for leaving."""

    kind = _Detaching


class _Slow(SimulatedProcess):
    async def aclose(self) -> None:
        for _ in range(6):
            await asyncio.sleep(0)
        await super().aclose()


class ClosesIfLet(Unhandy):
    """Closing can be cancelled half-way."""

    kind = _Slow


class RaisesAsItComes(SimulatedExecutor):
    """Lets through what the system says of a folder or program that is not there."""

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        if command.cwd or command.argv[0].startswith("sac-no"):
            raise VendorError(f"ENOENT {command.cwd} {command.argv[0]}")
        return await super().open_process(key, process_id, command)
