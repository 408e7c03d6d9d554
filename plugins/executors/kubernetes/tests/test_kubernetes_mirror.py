"""What is known without asking: never older than what was read or written here, and silent when the cluster is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from sac_core.contracts.background import background
from sac_core.contracts.executor import RESYNC
from sac_core.models.body import Key
from sac_core.testing.fixtures import eventually
from sac_executor_kubernetes import mirror as mirrors
from sac_executor_kubernetes.cluster import open_cluster
from sac_executor_kubernetes.hints import Hints
from sac_executor_kubernetes.mirror import Mirror
from sac_executor_kubernetes.naming import LIFE_MARK, STATE_MARK
from scripted_api import Answer, Said, ScriptedApi, scripted_api

KEY = Key("t", "a", "u")
LABELS = {"sac/owner": "o", "sac/uid": "u", "sac/tenant": "t", "sac/agent": "a", "sac/hash": "h", "sac/generation": "1"}
PATIENCE = 30.0


def deployment(version: int, *, name: str = "sac-u", state: str = "up") -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "uid": "d",
            "resourceVersion": str(version),
            "generation": 1,
            "labels": LABELS,
            "annotations": {STATE_MARK: state, LIFE_MARK: ""},
        },
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"command": ["python3"]}]}}},
        "status": {"observedGeneration": 1},
    }


def pod(version: int, name: str = "p") -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name, "resourceVersion": str(version), "labels": LABELS}, "status": {}}


def listed(version: int, *items: dict[str, Any], following: str = "") -> Said:
    return Said(body={"metadata": {"resourceVersion": str(version), "continue": following}, "items": list(items)})


def events(*said: tuple[str, dict[str, Any]], held: bool = True) -> Said:
    return Said(events=tuple({"type": kind, "object": item} for kind, item in said), held=held)


def cluster_of(deployments: list[Said], pods: list[Said]) -> Answer:
    """Answers in turn, first to the list, then to watches; the last of each for ever."""

    def answer(path: str, query: dict[str, str]) -> Said:
        said = deployments if path.endswith("deployments") else pods
        return said.pop(0) if len(said) > 1 else said[0]

    return answer


@asynccontextmanager
async def mirrored(answer: Answer) -> AsyncIterator[tuple[ScriptedApi, Mirror]]:
    """A mirror that follows."""
    async with scripted_api(answer) as api, open_cluster(api.access, 2.0) as cluster, background() as tasks:
        mirror = Mirror(cluster, "o", tasks)
        mirror.begin()
        yield api, mirror


def versions(mirror: Mirror) -> list[str]:
    return [each.version for each in mirror.all()[0]]


async def true(condition: Callable[[], bool]) -> None:
    await eventually(condition, PATIENCE)


async def test_it_knows_what_was_listed_and_what_changed() -> None:
    answer = cluster_of(
        [listed(5, deployment(3)), events(("MODIFIED", deployment(6)))],
        [listed(5, pod(4)), events(("ADDED", pod(7, "q")), ("DELETED", pod(8)))],
    )
    async with mirrored(answer) as (_, mirror):
        await true(lambda: versions(mirror) == ["6"] and [each.name for each in mirror.pods(KEY)] == ["q"])
        assert mirror.fresh
        assert mirror.met(KEY)
        found = mirror.workload(KEY)
        assert found is not None
        assert [each.name for each in found.pods] == ["q"]


async def test_a_list_comes_in_pages() -> None:
    pages = [listed(5, pod(3), following="more"), listed(5, pod(4, "q")), events()]
    async with mirrored(cluster_of([listed(5), events()], pages)) as (api, mirror):
        await true(lambda: len(mirror.pods(KEY)) == 2)
        assert [query.get("continue") for path, query in api.asked if path.endswith("pods")][:2] == [None, "more"]


async def test_older_words_than_what_was_written_here_are_nothing_new() -> None:
    late = events(("MODIFIED", deployment(6)), ("DELETED", deployment(7)))
    answer = cluster_of([listed(5, deployment(3)), Said(events=(), held=True)], [listed(5), events()])
    async with mirrored(answer) as (_, mirror):
        await true(lambda: mirror.fresh)
        mirror.saw_deployment(deployment(9))
        for event in late.events or ():
            item = mirrors.workload_item(event["object"])
            assert item is not None
            assert not (mirror._deployments.drop(item) if event["type"] == "DELETED" else mirror._deployments.put(item))
        assert versions(mirror) == ["9"]


async def test_a_read_that_is_older_than_the_watch_brings_nothing_back() -> None:
    answer = cluster_of([listed(5), events()], [listed(5, pod(4)), events(("DELETED", pod(9)))])
    async with mirrored(answer) as (_, mirror):
        await true(lambda: mirror.met(KEY) and not mirror.pods(KEY))
        mirror.saw_pods(KEY, [pod(4)], "7")
        assert mirror.pods(KEY) == []
        mirror.saw_pods(KEY, [pod(11, "q")], "12")
        assert [each.name for each in mirror.pods(KEY)] == ["q"]
        mirror.saw_pods(KEY, [], "13")
        assert mirror.pods(KEY) == []


@pytest.mark.parametrize("trouble", [Said(410, {"code": 410}), Said(500, {"message": "etcd"}), Said(403, {})])
async def test_it_says_when_it_may_be_old(trouble: Said) -> None:
    """The watch is refused from then on, and so is every list."""
    answer = cluster_of([listed(5, deployment(3)), trouble], [listed(5), events()])
    async with mirrored(answer) as (api, mirror):
        await true(lambda: len(api.asked) > 5)
        assert not mirror.fresh


async def test_silence_is_not_taken_for_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    async with mirrored(cluster_of([listed(5), events()], [listed(5), events()])) as (_, mirror):
        await true(lambda: mirror.fresh)
        monkeypatch.setattr(mirrors, "_SILENT", 0.0)
        assert not mirror.fresh


async def test_what_was_missed_is_told_by_its_key_and_not_as_a_whole() -> None:
    """A watch that expired: what the new list has otherwise is told, and nobody else is looked at."""
    gone = Said(events=({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "old"}},))
    answer = cluster_of([listed(5, deployment(3)), gone, listed(9, deployment(8)), events()], [listed(5), events()])
    async with mirrored(answer) as (_, mirror):
        hints = Hints(mirror).listen()
        with anyio.fail_after(PATIENCE):
            found = [await anext(hints)]
            while found[-1] != KEY:
                found.append(await anext(hints))
        assert found[0] is RESYNC
        assert versions(mirror) == ["8"]
        await hints.aclose()


async def test_what_a_list_has_no_more_is_gone() -> None:
    gone = Said(events=({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "old"}},))
    answer = cluster_of([listed(5, deployment(3)), gone, listed(9), events()], [listed(5), events()])
    async with mirrored(answer) as (_, mirror):
        await true(lambda: mirror.met(KEY) and versions(mirror) == [])


async def test_a_cluster_that_was_restored_counts_anew() -> None:
    gone = Said(410, {"code": 410})
    answer = cluster_of([listed(500, deployment(300)), gone, listed(9, deployment(7)), events()], [listed(5), events()])
    async with mirrored(answer) as (_, mirror):
        await true(lambda: versions(mirror) == ["7"])


async def test_a_copy_of_another_name_is_not_the_body() -> None:
    answer = cluster_of([listed(5, deployment(3, name="copy")), events()], [listed(5), events()])
    async with mirrored(answer) as (_, mirror):
        await true(lambda: mirror.fresh)
        assert versions(mirror) == []


async def test_what_was_removed_here_is_not_brought_back_by_older_words() -> None:
    answer = cluster_of([listed(5, deployment(3)), Said(events=(), held=True)], [listed(5), events()])
    async with mirrored(answer) as (_, mirror):
        await true(lambda: mirror.fresh)
        found = mirror.workload(KEY)
        assert found is not None
        mirror.removed(found)
        assert mirror.all() == ([], {})
        late = mirrors.workload_item(deployment(9, state="deleting"))
        assert late is not None
        assert not mirror._put(mirror._deployments, late)
        assert mirror.all() == ([], {})
        another = deployment(12)
        another["metadata"]["uid"] = "e"
        mirror.saw_deployment(another)
        assert versions(mirror) == ["12"]


async def test_details_are_of_the_pod_that_the_mirror_has() -> None:
    running = pod(4)
    running["spec"] = {"nodeName": "n"}
    answer = cluster_of([listed(5, deployment(3)), events()], [listed(5, running), events()])
    async with mirrored(answer) as (_, mirror):
        await true(lambda: bool(mirror.fresh and mirror.workload(KEY)))
        found = mirror.workload(KEY)
        assert found is not None
        assert (found.details["pod"], found.details["node"]) == ("p", "n")
