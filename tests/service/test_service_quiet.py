"""An ordinary stop and an ordinary delete are nothing to warn of."""

from __future__ import annotations

import logging

import anyio
import pytest

import sac_core
from sac_core.contracts.sac import Sac
from sac_core.settings import Settings

HELD_UP = "held up the event loop"
"""What is told of a plugin that was running when the machine was too busy; nothing ended by it."""


async def live_and_end(sac: Sac, name: str) -> None:
    await sac.agents.create(name, {"command": ["sleep", "1000"]})
    await sac.agents.wait(name, timeout=30)
    sessions = [(await sac.sessions.create(name, command=["cat"])).metadata.name for _ in range(3)]
    await sac.sessions.delete(sessions[0])
    await sac.agents.stop(name)
    await sac.agents.wait(name, "Stopped", timeout=30)
    await sac.agents.start(name)
    await sac.agents.wait(name, timeout=30)
    await sac.sessions.create(name, command=["cat"])
    await sac.agents.delete(name)
    await sac.agents.wait(name, "absent", timeout=30)


async def test_what_was_asked_to_end_ends_without_a_warning(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with sac_core.open(settings) as sac, anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(live_and_end, sac, f"a{number}")
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert [message for message in told if HELD_UP not in message] == []
