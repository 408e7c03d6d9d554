"""Agents with secrets, through the one surface, on real processes: as variables and files, changed and taken away."""

from __future__ import annotations

from typing import Any

import pytest

from sac_core.contracts.sac import Sac
from sac_core.errors import InvalidError, LaunchError
from sac_core.testing.fixtures import eventually

TOKEN = {"name": "token", "env": "TOKEN"}
FILE = {"name": "token", "file": "git/token"}


async def running(sac: Sac, name: str, spec: dict[str, Any]) -> None:
    await sac.agents.create(name, spec)
    await sac.agents.wait(name, timeout=20)


async def shell(sac: Sac, agent: str, script: str) -> str:
    done = await sac.exec(agent, ["sh", "-c", script])
    return done.stdout + done.stderr


async def condition(sac: Sac, agent: str, type: str) -> tuple[str, str] | None:
    found = {one.type: (one.status, one.reason) for one in (await sac.agents.get(agent)).status.conditions}
    return found.get(type)


async def test_main_sessions_and_execs_have_the_variable(sac: Sac) -> None:
    await sac.secrets.put("token", "canary-1")
    script = 'echo "$TOKEN" > seen-by-main; exec sleep 3600'
    await running(sac, "a1", {"command": ["sh", "-c", script], "secrets": [TOKEN]})
    assert await shell(sac, "a1", 'echo "$TOKEN"') == "canary-1\n"

    async def written() -> bool:
        return await shell(sac, "a1", "cat seen-by-main") == "canary-1\n"

    await eventually(written)
    session = await sac.sessions.create("a1", command=["sh", "-c", 'echo "$TOKEN" > seen-by-session'])

    async def ended() -> bool:
        return (await sac.sessions.get(session.metadata.name)).status.phase == "Ended"

    await eventually(ended)
    assert await shell(sac, "a1", "cat seen-by-session") == "canary-1\n"


async def test_a_file_is_there_before_main_starts_and_private(sac: Sac) -> None:
    await sac.secrets.put("token", {"a": b"\xff\x00", "b": "canary-1"})
    spec = {
        "command": ["sh", "-c", 'cp "$SAC_SECRETS_DIR/git/token" seen-by-main; exec sleep 3600'],
        "secrets": [{**FILE, "key": "b"}, {"name": "token", "key": "a", "file": "raw"}],
    }
    await running(sac, "a1", spec)

    async def written() -> bool:
        return await shell(sac, "a1", "cat seen-by-main") == "canary-1"

    await eventually(written)
    assert await shell(sac, "a1", 'od -An -tx1 "$SAC_SECRETS_DIR/raw"') == " ff 00\n"
    shown = await shell(sac, "a1", 'cd "$SAC_SECRETS_DIR"; stat -c %a . git git/token')
    assert shown.split() == ["700", "700", "400"]


async def test_a_new_value_restarts_nothing_and_new_processes_see_it(sac: Sac) -> None:
    await sac.secrets.put("token", "old")
    await running(sac, "a1", {"command": ["sleep", "3600"], "secrets": [TOKEN, FILE]})
    before = await sac.agents.get("a1")
    main = await shell(sac, "a1", "pgrep -P $PPID -x sleep")
    await sac.secrets.put("token", "new")
    assert await shell(sac, "a1", 'echo "$TOKEN"') == "new\n"

    async def delivered() -> bool:
        return await shell(sac, "a1", 'cat "$SAC_SECRETS_DIR/git/token"') == "new"

    await eventually(delivered)
    assert await shell(sac, "a1", "pgrep -P $PPID -x sleep") == main != ""
    after = await sac.agents.get("a1")
    assert after.metadata.generation == before.metadata.generation
    assert after.status.hash == before.status.hash

    async def told() -> bool:
        return [one.version for one in (await sac.agents.get("a1")).status.secrets] == [2]

    await eventually(told)


async def test_uses_can_be_added_and_taken_away(sac: Sac) -> None:
    await sac.secrets.put("token", "canary")
    await running(sac, "a1", {})
    await sac.agents.patch("a1", {"spec": {"secrets": [TOKEN, FILE]}})
    await sac.agents.wait("a1", timeout=20)
    look = 'echo "$TOKEN"; cat "$SAC_SECRETS_DIR/git/token"'
    assert await shell(sac, "a1", look) == "canary\ncanary"
    await sac.agents.patch("a1", {"spec": {"secrets": []}})
    await sac.agents.wait("a1", timeout=20)
    assert "canary" not in await shell(sac, "a1", look)


async def test_a_secret_that_has_gone_is_told(sac: Sac) -> None:
    await sac.secrets.put("token", "canary")
    await running(sac, "a1", {"secrets": [TOKEN]})
    assert await condition(sac, "a1", "SecretsReady") == ("True", "")
    await sac.secrets.delete("token")

    async def told() -> bool:
        return await condition(sac, "a1", "SecretsReady") == ("False", "SecretNotFound")

    await eventually(told)
    assert (await sac.agents.get("a1")).status.phase == "Running"
    with pytest.raises(LaunchError) as caught:
        await sac.exec("a1", ["true"])
    assert (caught.value.reason, caught.value.field) == ("SecretNotFound", "spec.secrets.0.name")
    with pytest.raises(LaunchError):
        await sac.sessions.create("a1")
    await sac.agents.restart("a1")
    with pytest.raises(LaunchError) as failed:
        await sac.agents.wait("a1", timeout=20)
    assert failed.value.reason == "SecretNotFound"
    await sac.secrets.put("token", "again")
    await sac.agents.start("a1")
    await sac.agents.wait("a1", timeout=20)
    assert await shell(sac, "a1", 'echo "$TOKEN"') == "again\n"


@pytest.mark.parametrize(
    ("secrets", "field"),
    [
        ([{"name": "nosuch", "env": "A"}], "spec.secrets.0.name"),
        ([TOKEN, {"name": "two", "env": "A"}], "spec.secrets.1.key"),
        ([{"name": "two", "key": "c", "env": "A"}], "spec.secrets.0.key"),
        ([{"name": "token"}], "spec.secrets.0"),
        ([{**TOKEN, **FILE}], "spec.secrets.0"),
        ([{"name": "token", "env": "SAC_TOKEN"}], "spec.secrets.0.env"),
        ([{"name": "token", "env": "A=B"}], "spec.secrets.0.env"),
        ([{"name": "token", "file": "../body.json"}], "spec.secrets.0.file"),
        ([{"name": "token", "file": "/etc/passwd"}], "spec.secrets.0.file"),
        ([{"name": "token", "file": "a//b"}], "spec.secrets.0.file"),
        ([TOKEN, TOKEN], "spec"),
        ([FILE, {"name": "token", "file": "git"}], "spec"),
        ([{"name": "token", "env": "PLAIN"}], "spec"),
    ],
)
async def test_a_wrong_reference_names_its_field(sac: Sac, secrets: list[dict[str, str]], field: str) -> None:
    await sac.secrets.put("token", "x")
    await sac.secrets.put("two", {"a": "x", "b": "y"})
    with pytest.raises(InvalidError) as caught:
        await sac.agents.create("a1", {"env": {"PLAIN": "1"}, "secrets": secrets})
    assert caught.value.field == field
    assert (await sac.agents.list()).items == ()


async def test_what_cannot_be_a_variable_is_told_without_the_value(sac: Sac) -> None:
    await sac.secrets.put("token", b"canary\x00")
    await sac.agents.create("a1", {"secrets": [TOKEN]})
    with pytest.raises(LaunchError, match="NUL") as caught:
        await sac.agents.wait("a1", timeout=20)
    assert caught.value.reason == "InvalidSpec"
    assert "canary" not in str(caught.value)
