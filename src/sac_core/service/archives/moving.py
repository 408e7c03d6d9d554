"""Moving archives: one piece at a time, each within a deadline, from or to a command that ends with its caller."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable
from contextlib import aclosing
from typing import TypeVar

import anyio

from sac_core.contracts.background import background
from sac_core.contracts.closing import closable
from sac_core.contracts.sac import Exec
from sac_core.errors import DeadlineError, LostError, SacError
from sac_core.models.base import parse
from sac_core.models.file import FileStat
from sac_core.models.process import Exit
from sac_core.service.archives.ends import Said, failure
from sac_core.service.archives.tools import Reach, Verb, begun

T = TypeVar("T")

STALL = 60.0
"""Seconds in which something must move; there is no limit for the whole."""
_PIECE = 256 * 1024
_ANSWER = 64
"""Bytes of the answer that names what is at a path."""


async def stat_path(reach: Reach, path: str) -> FileStat:
    """What is at a path of a body."""
    found = await _moving(_answer(reach, path), "the agent's body did not answer")
    return parse(FileStat, {"type": found.decode(errors="replace").strip()})


async def read_archive(reach: Reach, path: str) -> AsyncGenerator[bytes]:
    """A tar of what is at a path of a body; leaving it ends the command."""
    empty = True
    async with aclosing(_run(reach, "get", path)) as output:
        async for data in output:
            empty = False
            yield data
    if empty:
        raise LostError("the body sent no archive", field="path")


async def write_archive(reach: Reach, path: str, tar: AsyncIterable[bytes]) -> None:
    """Have a tar extracted in a body, into a folder of it; leaving it ends the command."""
    said = Said()
    async with begun(reach, "put", path) as running:
        exit = await _write(running, tar, said)
    error = failure("put", path, exit, said)
    if error is not None:
        raise error


async def _answer(reach: Reach, path: str) -> bytes:
    """What a body says is at a path."""
    found = b""
    async with aclosing(_run(reach, "stat", path)) as output:
        async for data in output:
            found += data
            if len(found) > _ANSWER:
                raise LostError("the agent's body answers with what was not asked", field="path")
    return found


async def _run(reach: Reach, verb: Verb, path: str) -> AsyncGenerator[bytes]:
    """The standard output of a command, then the error of its end."""
    said = Said()
    async with begun(reach, verb, path) as running, aclosing(closable(running.output())) as output:
        while (chunk := await _moving(anext(output, None), "the agent's body sent nothing")) is not None:
            if chunk.stream == "stderr":
                said.add(chunk.data)
            else:
                yield chunk.data
        exit = await _moving(running.wait(), "the command in the agent's body did not end")
    error = failure(verb, path, exit, said)
    if error is not None:
        raise error


async def _write(running: Exec, tar: AsyncIterable[bytes], said: Said) -> Exit:
    """Feed a command while it is listened to: whatever it makes of the archive, its end is what counts."""
    ended, feeding = anyio.Event(), anyio.CancelScope()
    outcome: list[Exit | SacError] = []

    async def listen() -> None:
        try:
            async for chunk in running.output():
                said.add(chunk.data)
            outcome.append(await running.wait())
        except SacError as error:
            outcome.append(error)
        ended.set()
        feeding.cancel()

    async with background() as tasks:
        tasks.start_soon(listen)
        with feeding:
            await _feed(running, tar)
        await _moving(ended.wait(), "the command in the agent's body did not end")
    if isinstance(outcome[0], SacError):
        raise outcome[0]
    return outcome[0]


async def _feed(running: Exec, tar: AsyncIterable[bytes]) -> None:
    async with aclosing(closable(tar)) as source:
        while (piece := await _moving(anext(source, None), "nothing of the archive came")) is not None:
            for start in range(0, len(piece), _PIECE):
                if not await _taken(running.write(piece[start : start + _PIECE])):
                    return
    await _taken(running.eof())


async def _taken(step: Awaitable[None]) -> bool:
    """Whether the command took it; one that has ended takes nothing more."""
    try:
        await _moving(step, "the agent's body took nothing")
    except LostError:
        return False
    return True


async def _moving(step: Awaitable[T], stalled: str) -> T:
    """The result of a step; `DeadlineError` when it takes longer than it may."""
    try:
        with anyio.fail_after(STALL):
            return await step
    except TimeoutError:
        raise DeadlineError(f"{stalled} for {STALL:g} s", hint="try again") from None
