"""Commands that run to their end over one socket or call: lossless, and ended with their caller."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from sac_core.contracts.process import Process
from sac_core.contracts.sac import Exec
from sac_core.errors import DeadlineError, UnsupportedError
from sac_core.models.process import Chunk, Command, Exit
from sac_core.service.bodies import Body
from sac_core.service.opener import open_in
from sac_core.wire.exec import MAX_OUTPUT, ExecResult

PREFIX = "exec-"
"""How the ids of such processes start; the server's id follows. One that no server has open is ended by an audit."""

_CLOSE_DEADLINE = 15.0


class ProcessExec(Exec):
    """An exec over a process of a body."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def output(self) -> AsyncIterator[Chunk]:
        return self._process.output()

    async def write(self, data: bytes) -> None:
        await self._process.write(data)

    async def eof(self) -> None:
        await self._process.eof()

    async def signal(self, name: str) -> None:
        await self._process.signal(name)

    async def wait(self) -> Exit:
        return await self._process.wait()


@asynccontextmanager
async def open_exec(body: Body, command: Command) -> AsyncIterator[ProcessExec]:
    """Run a command until the context is left; then it is ended, also when the caller was cancelled."""
    if command.tty is not None or command.overflow != "block":
        raise UnsupportedError("an exec has no terminal and loses nothing")
    process_id = f"{PREFIX}{body.server}-{uuid.uuid4().hex}"
    body.execs.add(process_id)
    process = None
    try:
        process = await open_in(body, process_id, command)
        yield ProcessExec(process)
    finally:
        with anyio.move_on_after(_CLOSE_DEADLINE, shield=True):
            process = process or await body.find(process_id)
            if process is not None:
                await process.aclose()
        body.execs.discard(process_id)


async def run_exec(body: Body, command: Command, *, timeout: float) -> ExecResult:
    """Run a command to its end; keeps at most 1 MiB of each stream. `DeadlineError` after ``timeout`` seconds."""
    kept: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
    truncated = False
    with anyio.move_on_after(timeout) as scope:
        async with open_exec(body, command) as running:
            async for chunk in running.output():
                room = MAX_OUTPUT - len(kept[chunk.stream])
                truncated = truncated or len(chunk.data) > room
                kept[chunk.stream] += chunk.data[:room]
            exit = await running.wait()
    if scope.cancelled_caught:
        raise DeadlineError(f"{command.argv[0]!r} did not end within {timeout:g} s and was ended", field="timeout")
    return ExecResult(
        code=exit.code,
        signal=exit.signal,
        reason=exit.reason,
        stdout=kept["stdout"].decode(errors="replace"),
        stderr=kept["stderr"].decode(errors="replace"),
        truncated=truncated,
    )
