"""Processes of bodies without a holder: the server reads each of them once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import anyio

from sac_core.contracts.executor import Executor
from sac_core.contracts.process import Process
from sac_core.models.body import Key
from sac_core.models.process import Chunk, Command, Exit
from sac_core.service.bodies import DirectBody

KEY = Key("default", "box", "uid")


class OnceRead:
    """A process whose output may be read once, as that of a body without a holder."""

    id = "p1"

    def __init__(self) -> None:
        self.readers = 0

    async def output(self, since: int | None = 0) -> AsyncIterator[Chunk]:
        self.readers += 1
        yield Chunk("tty", 0, b"said")

    async def wait(self) -> Exit:
        return Exit(code=0)


class SlowExecutor:
    """Opens one process, once it may; the same id again is the same process."""

    def __init__(self) -> None:
        self.process, self.asked, self.may = OnceRead(), 0, anyio.Event()

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        self.asked += 1
        await self.may.wait()
        return cast(Process, self.process)


async def test_two_who_open_a_process_at_once_read_it_once() -> None:
    executor, exits, opened = SlowExecutor(), list[Exit](), list[Process]()
    async with anyio.create_task_group() as group:
        body = DirectBody("s1", cast(Executor, executor), KEY, group, lambda uid, exit: exits.append(exit))

        async def opens() -> None:
            opened.append(await body.open("p1", Command(argv=("sh",), overflow="drop")))

        group.start_soon(opens)
        group.start_soon(opens)
        while executor.asked < 2:
            await anyio.lowlevel.checkpoint()
        executor.may.set()
    assert opened[0] is opened[1]
    assert executor.process.readers == 1
    assert [exit.code for exit in exits] == [0]
