"""Ending a wait when the terminal hangs up or somebody asks this command to end, with time to clean up."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

ENDING = {signal.SIGTERM: 143, signal.SIGHUP: 129}
"""Signals that ask to end, and the exit status that tells of each."""


@dataclass(slots=True)
class Ended:
    """``status`` is what the command must exit with; 0 while no signal came."""

    status: int = 0


@asynccontextmanager
async def ended_by_signals() -> AsyncIterator[Ended]:
    """The block is cancelled by the first such signal, and then left without an error."""
    ended = Ended()
    with anyio.CancelScope() as scope, anyio.open_signal_receiver(*ENDING) as signals:

        async def obey() -> None:
            async for number in signals:
                ended.status = ENDING[number]
                scope.cancel()

        raised: list[BaseException] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(obey)
            try:
                yield ended
            except Exception as error:  # raised below: the task group would wrap it
                raised.append(error)
            tasks.cancel_scope.cancel()
        if raised:
            raise raised[0]
