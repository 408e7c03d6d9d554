"""A holder that is stopped is named, noticed at once, and found again when it goes on."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

import sac_core
from sac_core.contracts.sac import Sac
from sac_core.errors import UnavailableError
from sac_core.held import open_link
from sac_core.service import bodies
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually


@asynccontextmanager
async def stopped(folder: Path, uid: str) -> AsyncIterator[None]:
    """The holder of a body does nothing while the block runs."""
    pid = json.loads((folder / "executors" / "process" / "bodies" / uid / "pid").read_text())["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def reachable(sac: Sac, name: str) -> dict[str, Any]:
    agent = await sac.agents.get(name)
    return next(each.to_wire() for each in agent.status.conditions if each.type == "ExecutorReachable")


async def has_condition(sac: Sac, status: str) -> bool:
    return bool((await reachable(sac, "a1"))["status"] == status)


async def test_a_stopped_holder_is_named_and_noticed_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "open_link", partial(open_link, deadline=1.0))
    calm = settings.model_copy(update={"resync": 3600.0})  # only the silence itself makes anybody look
    async with sac_core.open(calm) as sac:
        agent = await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=20)
        await sac.exec("a1", ["true"])
        async with stopped(settings.data_dir, agent.metadata.uid):
            with anyio.fail_after(15), pytest.raises(UnavailableError) as caught:
                await sac.exec("a1", ["true"])
            assert "agent 'a1'" in caught.value.message
            assert "sac restart a1" in str(caught.value.hint)
            await eventually(lambda: has_condition(sac, "False"), 10)
            assert "agent 'a1'" in (await reachable(sac, "a1"))["message"]
        await eventually(lambda: has_condition(sac, "True"), 15)
        assert (await sac.exec("a1", ["true"])).code == 0
        assert (await sac.agents.get("a1")).status.restarts == 0
