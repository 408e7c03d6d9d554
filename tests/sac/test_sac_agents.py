"""Agents through the one surface, embedded and over HTTP."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from sac_core.contracts.sac import Sac
from sac_core.errors import ConflictError, DeadlineError, InvalidError, LaunchError, NotFoundError, NotReadyError
from sac_core.models.agent import AgentSpec
from sac_core.models.change import Change, Synced
from sac_core.service.surface import LocalSac
from sac_core.testing.fixtures import eventually


async def session_ended(sac: Sac, name: str) -> bool:
    return (await sac.sessions.get(name)).status.phase == "Ended"


async def restarted(sac: Sac, name: str) -> bool:
    return (await sac.agents.get(name)).status.restarts >= 1


async def test_an_agent_runs_a_command_and_goes(sac: Sac) -> None:
    created = await sac.agents.create("a1", AgentSpec(runtime="shell"), labels={"app": "demo"})
    assert created.status.phase == "Pending"
    assert created.status.isolated is False
    running = await sac.agents.wait("a1")
    assert (running.status.phase, running.spec.executor) == ("Running", "process")
    result = await sac.exec("a1", ["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (result.stdout, result.stderr, result.code) == ("out\n", "err\n", 3)
    await sac.agents.delete("a1")
    gone = await sac.agents.wait("a1", "absent", timeout=20)
    assert gone is None or gone.metadata.uid == created.metadata.uid
    assert await sac.agents.wait("a1", "absent", timeout=20) is None  # what is gone already needs no waiting
    with pytest.raises(NotFoundError):
        await sac.agents.get("a1")
    with pytest.raises(NotFoundError):
        await sac.agents.wait("a1", timeout=20)


@pytest.mark.parametrize(
    ("name", "spec", "field"),
    [
        ("Not_A_Label", {}, "metadata.name"),
        ("a" * 64, {}, "metadata.name"),
        ("a1", {"executor": "nowhere"}, "spec.executor"),
        ("a1", {"executor": {"name": "process", "target": "moon"}}, "spec.executor.target"),
        ("a1", {"runtime": "nothing"}, "spec.runtime"),
        ("a1", {"colour": "red"}, "spec.colour"),
        ("a1", {"workspace": {"folder": "relative"}}, "spec.workspace.folder"),
        ("a1", {"options": {"x": 1}}, "spec.options.x"),
        ("a1", {"command": []}, "spec.command"),
        ("a1", {"env": {"A B": "1"}}, "spec.env"),
    ],
)
async def test_bad_input_names_the_field_and_leaves_nothing(
    sac: Sac, name: str, spec: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        await sac.agents.create(name, spec)
    assert caught.value.field == field
    assert (await sac.agents.list()).items == ()


async def test_an_unknown_executor_is_told_with_those_that_are_there(sac: Sac) -> None:
    with pytest.raises(InvalidError, match="process"):
        await sac.agents.create("a1", {"executor": "nowhere"})


async def test_a_taken_name_is_a_conflict(sac: Sac) -> None:
    await sac.agents.create("a1")
    with pytest.raises(ConflictError) as caught:
        await sac.agents.create("a1")
    assert caught.value.reason == "AlreadyExists"


async def test_an_idempotency_key_makes_one_agent(sac: Sac) -> None:
    first = await sac.agents.create("a1", idempotency_key="k1")
    again = await sac.agents.create("a1", idempotency_key="k1")
    assert again.metadata.uid == first.metadata.uid
    with pytest.raises(ConflictError):
        await sac.agents.create("a2", idempotency_key="k1")


async def test_the_same_request_ten_times_at_one_moment_makes_one_agent(sac: Sac) -> None:
    uids: list[str] = []

    async def create() -> None:
        uids.append((await sac.agents.create("a1", idempotency_key="k1")).metadata.uid)

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(create)
    assert len(uids) == 10
    assert len(set(uids)) == 1


async def test_an_idempotency_key_makes_no_second_agent_after_the_first_is_deleted(sac: Sac) -> None:
    await sac.agents.create("a1", {"state": "Stopped"}, idempotency_key="k1")
    await sac.agents.delete("a1")
    await eventually(lambda: is_absent(sac, "a1"), 20)
    with pytest.raises(ConflictError, match="deleted"):
        await sac.agents.create("a1", {"state": "Stopped"}, idempotency_key="k1")


async def is_absent(sac: Sac, name: str) -> bool:
    return all(agent.metadata.name != name for agent in (await sac.agents.list()).items)


async def test_a_stale_version_is_refused_with_the_current_one(sac: Sac) -> None:
    await sac.agents.create("a1")
    agent = await sac.agents.wait("a1")
    changed = await sac.agents.patch("a1", {"metadata": {"labels": {"x": "1"}}})
    stale = agent.metadata.resource_version
    with pytest.raises(ConflictError) as caught:
        await sac.agents.patch("a1", {"metadata": {"labels": {"x": "2"}}}, resource_version=stale)
    assert caught.value.current == changed.metadata.resource_version
    assert (await sac.agents.get("a1")).metadata.labels == {"x": "1"}


async def test_stop_and_start_keep_the_workspace(sac: Sac) -> None:
    await sac.agents.create("a1")
    await sac.agents.wait("a1")
    await sac.exec("a1", ["sh", "-c", "echo kept > f"])
    await sac.agents.stop("a1")
    await sac.agents.wait("a1", "Stopped", timeout=20)
    with pytest.raises(NotReadyError, match="Stopped"):
        await sac.exec("a1", ["true"])
    await sac.agents.start("a1")
    await sac.agents.wait("a1", timeout=20)
    assert (await sac.exec("a1", ["cat", "f"])).stdout == "kept\n"


async def test_restart_replaces_what_runs(sac: Sac) -> None:
    await sac.agents.create("a1")
    await sac.agents.wait("a1")
    session = await sac.sessions.create("a1", command=["sleep", "1000"])
    await sac.agents.restart("a1")
    await sac.agents.wait("a1", timeout=20)
    await eventually(lambda: session_ended(sac, session.metadata.name), 10)


async def test_labels_select(sac: Sac) -> None:
    for name, tier in (("a1", "web"), ("a2", "db"), ("a3", "web")):
        await sac.agents.create(name, {"state": "Stopped"}, labels={"tier": tier})
    names = [agent.metadata.name for agent in (await sac.agents.list(label_selector="tier in (web)")).items]
    assert names == ["a1", "a3"]
    first = await sac.agents.list(limit=2)
    assert [agent.metadata.name for agent in first.items] == ["a1", "a2"]
    assert [agent.metadata.name for agent in (await sac.agents.list(limit=2, after=first.next)).items] == ["a3"]
    with pytest.raises(InvalidError) as caught:
        await sac.agents.list(label_selector="tier ~ web")
    assert caught.value.field == "labelSelector"


async def test_a_watch_tells_what_is_there_then_every_change(sac: Sac) -> None:
    await sac.agents.create("a1", {"state": "Stopped"})
    seen: list[str] = []
    with anyio.fail_after(20):
        async for change in sac.agents.watch():
            if isinstance(change, Synced):
                seen.append("synced")
                await sac.agents.create("a2", {"state": "Stopped"})
                await sac.agents.delete("a1")
                continue
            assert isinstance(change, Change)
            seen.append(f"{change.verb} {change.object.metadata.name}")
            if change.verb == "DELETED":
                break
    assert seen[:2] == ["ADDED a1", "synced"]
    assert "ADDED a2" in seen
    assert seen[-1] == "DELETED a1"


async def test_waiting_has_an_end_that_says_what_was_seen(sac: Sac) -> None:
    await sac.agents.create("a1", {"state": "Stopped"})
    await sac.agents.wait("a1", "Stopped")
    with pytest.raises(DeadlineError, match="Stopped"):
        await sac.agents.wait("a1", "Running", timeout=1)


async def test_a_folder_that_is_not_there_fails_with_what_to_do(sac: Sac) -> None:
    await sac.agents.create("a1", {"workspace": {"folder": "/no/such/folder"}})
    with pytest.raises(LaunchError, match="/no/such/folder") as caught:
        await sac.agents.wait("a1", timeout=20)
    assert caught.value.reason == "InvalidSpec"


async def test_what_the_executor_cannot_do_is_refused_not_ignored(sac: Sac) -> None:
    await sac.agents.create("a1", {"egress": {"mode": "none"}})
    with pytest.raises(LaunchError) as caught:
        await sac.agents.wait("a1", timeout=20)
    assert caught.value.reason == "Unsupported"


async def test_a_run_agent_completes_and_its_log_can_be_read(sac: Sac) -> None:
    await sac.agents.create("a1", {"command": ["sh", "-c", "echo done; exit 0"], "lifetime": "run"})
    agent = await sac.agents.wait("a1", "Completed", timeout=20)
    assert agent.status.exit is not None
    assert agent.status.exit.code == 0
    assert b"".join([chunk.data async for chunk in sac.agents.logs("a1")]) == b"done\n"


async def test_a_log_that_is_read_to_its_end_is_not_waited_for(sac: Sac) -> None:
    await sac.agents.create("a1", {"command": ["sh", "-c", "echo ready; sleep 1000"]})
    await sac.agents.wait("a1", timeout=20)
    async for chunk in sac.agents.logs("a1", follow=True):
        if chunk.end >= len(b"ready\n"):
            break
    for since in (len(b"ready\n"), 1000):
        with anyio.fail_after(10):
            assert [chunk async for chunk in sac.agents.logs("a1", since=since)] == []


async def test_a_run_agent_that_fails_says_how(sac: Sac) -> None:
    await sac.agents.create("a1", {"command": ["sh", "-c", "exit 7"], "lifetime": "run"})
    with pytest.raises(LaunchError, match="code 7"):
        await sac.agents.wait("a1", "Completed", timeout=20)


async def test_a_service_that_ends_is_started_again(sac: Sac) -> None:
    await sac.agents.create("a1", {"command": ["sh", "-c", "echo x >> runs; [ $(wc -l < runs) -gt 1 ] && sleep 1000"]})
    await eventually(lambda: restarted(sac, "a1"), 20)
    await sac.agents.wait("a1", timeout=20)

    async def ran_twice() -> bool:  # it runs once it was started, not once it has written something
        return (await sac.exec("a1", ["cat", "runs"])).stdout == "x\nx\n"

    await eventually(ran_twice, 20)


async def test_a_missing_main_program_fails_with_its_name(sac: Sac) -> None:
    await sac.agents.create("a1", {"command": ["no-such-program"]})
    with pytest.raises(LaunchError, match="no-such-program"):
        await sac.agents.wait("a1", timeout=20)


async def test_environment_reaches_every_process(sac: Sac) -> None:
    await sac.agents.create("a1", {"env": {"A": "agent", "B": "agent"}})
    await sac.agents.wait("a1")
    result = await sac.exec("a1", ["sh", "-c", "echo $A $B"], env={"B": "exec"})
    assert result.stdout == "agent exec\n"


async def test_plugins_and_status_say_what_is_here(sac: Sac) -> None:
    found = {(plugin.family, plugin.name): plugin for plugin in await sac.plugins()}
    assert found["executor", "process"].isolated is False
    assert {("runtime", "shell"), ("authenticator", "token")} <= set(found)
    status = await sac.status()
    assert status.default_executor == "process"
    assert any("sandbox" in finding.message for finding in status.findings)


async def test_a_delete_may_leave_the_volumes_and_says_where_they_are(sac: Sac) -> None:
    created = await sac.agents.create("a1")
    await sac.agents.wait("a1")
    await sac.exec("a1", ["sh", "-c", "echo mine > notes"])
    await sac.agents.delete("a1", keep_volumes=True)
    await sac.agents.wait("a1", "absent", timeout=20)
    last = (await sac.agents.timeline(created.metadata.uid)).items[-1]
    place = Path(last.details["kept"].removeprefix("its files are kept in "))
    assert (place / "notes").read_text() == "mine\n"
    assert str(place) in last.text


async def test_what_is_declared_to_keep_its_volumes_keeps_them_whoever_deletes_it(sac: Sac) -> None:
    created = await sac.agents.create("a1", {"keepVolumes": True})
    await sac.agents.wait("a1")
    await sac.agents.delete("a1")
    await sac.agents.wait("a1", "absent", timeout=20)
    assert "kept" in (await sac.agents.timeline(created.metadata.uid)).items[-1].details


async def test_volumes_that_are_going_are_not_kept_any_more(sac: Sac) -> None:
    await sac.agents.create("a1", {"command": ["sh", "-c", "trap '' TERM; sleep 600"]})
    await sac.agents.wait("a1")
    await sac.agents.delete("a1")
    with pytest.raises(ConflictError, match="being deleted, with its volumes"):
        await sac.agents.delete("a1", keep_volumes=True)
    assert not (await sac.agents.get("a1")).spec.keep_volumes


async def test_an_agent_can_be_given_up_but_not_with_its_volumes_kept(sac: Sac) -> None:
    await sac.agents.create("a1")
    with pytest.raises(InvalidError, match="its volumes with it"):
        await sac.agents.delete("a1", keep_volumes=True, abandon=True)
    await sac.agents.delete("a1", abandon=True)
    await sac.agents.wait("a1", "absent", timeout=20)


async def test_a_timeline_tells_what_led_to_what_and_outlives_the_agent(sac: Sac) -> None:
    created = await sac.agents.create("a1")
    await sac.agents.wait("a1")
    await sac.agents.delete("a1")
    await sac.agents.wait("a1", "absent", timeout=20)
    story = await sac.agents.timeline("a1")
    assert story == await sac.agents.timeline(created.metadata.uid)
    assert (story.agent, story.namespace, story.uid) == ("a1", "default", created.metadata.uid)
    first, last = story.items[0], story.items[-1]
    assert (first.kind, first.actor, first.details["verb"]) == ("request", "user:local", "create")
    assert ("this program" in first.text) == isinstance(sac, LocalSac)
    assert last.text.startswith("deleted")
    running = next(each for each in story.items if each.text == "Running")
    assert running.because is not None
    with pytest.raises(NotFoundError):
        await sac.agents.timeline("nobody")
