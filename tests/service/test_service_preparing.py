"""A body in which a step of the preparation hangs: it ends at its deadline, is told, and takes no server with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sac_core.core import open_core
from sac_core.errors import LaunchError
from sac_core.models.principal import LOCAL
from sac_core.service import placing
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually


async def test_a_step_that_hangs_ends_at_its_deadline(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "_DEADLINE", 0.5)
    (tmp_path / "rm").write_text("#!/bin/sh\nexec sleep 3600\n")
    (tmp_path / "rm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    async with open_core(settings) as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("a1", {"instructions": "text", "startTimeout": 6})

        async def told() -> bool:
            agent = await sac.agents.get("a1")
            found = {one.type: one.reason for one in agent.status.conditions}
            return agent.status.phase == "Starting" and found.get("InstructionsPlaced") == "DeadlineExceeded"

        await eventually(told, 10)
        with pytest.raises(LaunchError) as caught:
            await sac.agents.wait("a1", timeout=30)
        assert (caught.value.reason, "AGENTS.md was not written" in str(caught.value)) == ("StartTimeout", True)
        told_of = [one for one in (await sac.agents.timeline("a1")).items if one.kind == "step"]
        assert len(told_of) == 1
