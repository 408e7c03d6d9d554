"""An agent of this runtime on the process executor: its secret, its program, its texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sac_core.contracts.sac import Sac
from sac_core.errors import InvalidError, LaunchError
from sac_core.testing.fixtures import eventually

KEY = "sk-ant-canary-5c1d"


async def test_a_missing_program_says_what_to_install(sac: Sac, tmp_path: Path) -> None:
    options = {"program": str(tmp_path / "none")}
    await sac.agents.create("a1", {"runtime": "claude-code", "runtimeOptions": options})
    with pytest.raises(LaunchError, match=r"there is no program '.*none'.*npm install -g @anthropic-ai/claude-code"):
        await sac.agents.wait("a1", timeout=30)
    agent = await sac.agents.get("a1")
    assert (agent.status.phase, agent.status.reason) == ("Failed", "Unsupported")


async def test_a_token_comes_as_its_variable_and_is_shown_nowhere(sac: Sac, tmp_path: Path) -> None:
    await sac.secrets.put("model", {"main": KEY, "other": "nothing"})
    options = {"subscriptionToken": "model/main", "program": "/bin/sh"}
    await sac.agents.create("a1", {"runtime": "claude-code", "runtimeOptions": options})
    agent = await sac.agents.wait("a1", timeout=30)
    seen = await sac.exec("a1", ["printenv", "CLAUDE_CODE_OAUTH_TOKEN"])
    assert seen.stdout == f"{KEY}\n"
    await sac.secrets.put("model", {"main": "rotated", "other": "nothing"})

    async def delivered() -> bool:
        return (await sac.exec("a1", ["printenv", "CLAUDE_CODE_OAUTH_TOKEN"])).stdout == "rotated\n"

    await eventually(delivered, 10)
    told = json.dumps(agent.to_wire()) + (await sac.agents.timeline("a1")).model_dump_json()
    assert KEY not in told


async def test_a_secret_that_is_not_there_is_refused_by_its_field(sac: Sac) -> None:
    options = {"apiKey": "none"}
    with pytest.raises(InvalidError) as refused:
        await sac.agents.create("a1", {"runtime": "claude-code", "runtimeOptions": options})
    assert (refused.value.field, refused.value.reason) == ("spec.runtimeOptions.apiKey", "SecretNotFound")


async def test_a_secret_that_went_names_the_option(sac: Sac) -> None:
    await sac.secrets.put("model", KEY)
    options = {"apiKey": "model", "program": "/bin/sh"}
    await sac.agents.create("a1", {"runtime": "claude-code", "runtimeOptions": options})
    await sac.agents.wait("a1", timeout=30)
    await sac.secrets.delete("model")

    async def gone() -> bool:
        try:
            await sac.exec("a1", ["true"])
        except LaunchError as error:
            return (error.field, error.reason) == ("spec.runtimeOptions.apiKey", "SecretNotFound")
        return False

    await eventually(gone, 10)


async def test_texts_are_where_it_reads_them(sac: Sac, folder: Path) -> None:
    (folder / "CLAUDE.md").write_text("the project's own")
    spec = {"instructions": "Be brief.", "skills": [{"name": "review", "text": "Read it all."}]}
    where = {"workspace": {"folder": str(folder)}, "runtimeOptions": {"program": "/bin/sh"}}
    await sac.agents.create("a1", {"runtime": "claude-code", **spec, **where})
    await sac.agents.wait("a1", timeout=30)
    assert (folder / ".claude/rules/sac.md").read_text() == "Be brief."
    assert (folder / ".claude/skills/review/SKILL.md").read_text() == "Read it all."
    assert (folder / "CLAUDE.md").read_text() == "the project's own"
