"""Streams of a plugin that come when nobody waits for them any more."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteStream

from sac_core.core import apart
from sac_core.core.guard import GuardedExecutor
from sac_core.hooks.troubles import Troubles
from sac_core.models.body import Key
from sac_core.testing.fixtures import new_key
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_target import SimulatedTarget


class Late(SimulatedExecutor):
    """Dials when ``answers`` is set, cancelled or not."""

    def __init__(self, stream: ByteStream) -> None:
        super().__init__(SimulatedTarget(), "owner")
        self.stream = stream
        self.asked, self.answers = asyncio.Event(), asyncio.Event()

    async def dial(self, key: Key, port: int) -> ByteStream:
        self.asked.set()
        while not self.answers.is_set():
            with suppress(asyncio.CancelledError):
                await self.answers.wait()
        return self.stream


async def test_a_stream_that_comes_after_its_call_was_given_up_is_closed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(apart, "GRACE", 0.05)
    async with await anyio.create_unix_listener(tmp_path / "s") as listener:
        stream = await anyio.connect_unix(tmp_path / "s")
        executor = Late(stream)
        other = await listener.accept()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(GuardedExecutor("late", executor, Troubles()).dial, new_key(), 80)
            await executor.asked.wait()
            tasks.cancel_scope.cancel()
        executor.answers.set()

        with anyio.fail_after(20), pytest.raises(anyio.EndOfStream):
            await other.receive()
        await other.aclose()
        await stream.aclose()
