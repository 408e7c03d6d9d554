"""Following objects: what is missed is listed again, and neither troubles nor a mad cluster make it give up or spin."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import anyio
import pytest

from sac_core.errors import UnavailableError
from sac_executor_kubernetes.cluster import Cluster, open_cluster
from sac_executor_kubernetes.reflector import Changed, Listed, Reflector
from sac_executor_kubernetes.troubles import ClusterAbsent, Refusal
from scripted_api import Answer, Said, ScriptedApi, scripted_api

PATIENCE = 30.0


def item(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


def event(kind: str, name: str, version: int) -> dict[str, Any]:
    return {"type": kind, "object": item(name, version)}


def listed(version: int, *items: dict[str, Any]) -> Said:
    return Said(body={"metadata": {"resourceVersion": str(version)}, "items": list(items)})


def gone() -> Said:
    return Said(410, {"kind": "Status", "code": 410, "message": "too old resource version"})


def script(lists: list[Said], watches: list[Said]) -> Answer:
    """Answers in turn; the last of each for ever."""

    def answer(path: str, query: dict[str, str]) -> Said:
        said = watches if "watch" in query else lists
        return said.pop(0) if len(said) > 1 else said[0]

    return answer


@asynccontextmanager
async def reflected(answer: Answer) -> AsyncIterator[tuple[ScriptedApi, AsyncGenerator[Listed[Any] | Changed[Any]]]]:
    async with scripted_api(answer) as api, open_cluster(api.access, 2.0) as cluster:
        reflector: Reflector[Any] = Reflector(cluster, "pods", "a=b", keep=lambda found: found)
        async with aclosing(reflector.changes()) as changes:
            yield api, changes


async def names(changes: AsyncGenerator[Listed[Any] | Changed[Any]], count: int) -> list[str]:
    """What so many changes are about."""
    found: list[str] = []
    with anyio.fail_after(PATIENCE):
        async for change in changes:
            if isinstance(change, Listed):
                found.append("all: " + ",".join(each["metadata"]["name"] for each in change.items))
            else:
                found.append(("no " if change.gone else "") + change.item["metadata"]["name"])
            if len(found) == count:
                break
    return found


HELD = Said(events=(), held=True)


async def test_a_list_then_changes_from_its_version_on() -> None:
    events = (event("ADDED", "two", 6), event("BOOKMARK", "", 9), event("DELETED", "one", 10))
    answer = script([listed(5, item("one", 1))], [Said(events=events), HELD])
    async with reflected(answer) as (api, changes):
        assert await names(changes, 3) == ["all: one", "two", "no one"]
        assert api.asked[1][1]["resourceVersion"] == "5"
        assert int(api.asked[1][1]["timeoutSeconds"]) <= 35
        assert api.asked[1][1]["allowWatchBookmarks"] == "true"


@pytest.mark.parametrize(
    "expired",
    [gone(), Said(events=({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}},))],
)
async def test_a_version_that_is_too_old_is_listed_again(expired: Said) -> None:
    answer = script([listed(5), listed(50, item("new", 49))], [expired, HELD])
    async with reflected(answer) as (api, changes):
        assert await names(changes, 2) == ["all: ", "all: new"]
        assert "resourceVersion" not in api.asked[2][1]


async def test_a_line_that_is_cut_off_is_asked_for_again() -> None:
    cut = Said(events=(event("ADDED", "one", 6), event("ADDED", "two", 7)), cut=True)
    answer = script([listed(5)], [cut, Said(events=(event("ADDED", "two", 7),)), HELD])
    async with reflected(answer) as (api, changes):
        assert await names(changes, 3) == ["all: ", "one", "two"]
        assert [query["resourceVersion"] for _, query in api.asked[1:3]] == ["5", "6"]


async def test_troubles_of_the_cluster_are_outlived() -> None:
    busy = Said(429, {"message": "later"}, {"Retry-After": "1"})
    lists = [Said(500, {"message": "etcd"}), busy, Said(body={"no": "list"}), listed(5)]
    answer = script(lists, [Said(503, {"message": "no"}), Said(events=(event("ADDED", "one", 6),)), HELD])
    async with reflected(answer) as (_, changes):
        assert await names(changes, 2) == ["all: ", "one"]


async def test_a_watch_that_ends_at_once_is_not_opened_without_a_pause() -> None:
    async with reflected(script([listed(5)], [Said(events=())])) as (api, changes):
        await names(changes, 1)
        with anyio.move_on_after(3.0):
            await names(changes, 1)
        assert 2 <= api.count(watch=True) <= 6
        assert api.count(watch=False) == 1


async def asked(answer: Answer, call: Callable[[Cluster], Any]) -> UnavailableError:
    """What a call fails with."""
    async with scripted_api(answer) as api, open_cluster(api.access, 0.5) as cluster:
        with anyio.fail_after(PATIENCE), pytest.raises(UnavailableError) as failed:
            await call(cluster)
    return failed.value


async def test_a_refusal_says_when_to_come_back() -> None:
    busy = Said(429, {"message": "too many requests"}, {"Retry-After": "7"})
    error = await asked(lambda path, query: busy, lambda cluster: cluster.list("pods", "a=b"))
    assert isinstance(error, Refusal)
    assert (error.status, error.retry_after) == (429, 7)
    assert "too many requests" in str(error)


async def test_a_cluster_that_hangs_is_absent_in_time() -> None:
    error = await asked(lambda path, query: HELD, lambda cluster: cluster.get("pods", "one"))
    assert isinstance(error, ClusterAbsent)
    assert "in time" in str(error)


async def test_a_cluster_that_is_not_there_is_absent() -> None:
    async with scripted_api(lambda path, query: HELD) as api:
        access = api.access
    async with open_cluster(access, 0.5) as cluster:
        with pytest.raises(ClusterAbsent):
            await cluster.raw("/version")
