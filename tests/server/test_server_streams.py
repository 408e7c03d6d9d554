"""Answers that go on: server-sent events, logs, an exec whose client leaves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import anyio
import httpx2

from sac_core.errors import ExpiredError, LostError, NotReadyError
from sac_core.models.process import Chunk
from server_fakes import agent
from server_wire import Running, until


async def _events(response: httpx2.Response) -> AsyncIterator[dict[str, str]]:
    event: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            key, _, value = line.partition(": ")
            event[key] = value
        elif event:
            yield event
            event = {}


async def test_a_watch_tells_what_is_there_then_what_happens(sac: Running) -> None:
    async with sac.http.stream("GET", "/api/v1/agents", params={"watch": "true"}) as response:
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-store"
        events = _events(response)
        first, synced = await anext(events), await anext(events)
        assert (first["event"], synced["event"]) == ("ADDED", "synced")
        assert json.loads(first["data"])["object"]["metadata"]["name"] == "a1"
        sac.core.world.put("default", "ADDED", agent("a2"))
        later = await anext(events)
        assert later["id"] == str(sac.core.world.version)
        assert json.loads(later["data"])["object"]["metadata"]["name"] == "a2"
    await until(lambda: sac.core.world.open_streams == 0)


async def test_events_go_on_after_the_last_id(sac: Running) -> None:
    last = str(sac.core.world.version)
    sac.core.world.put("default", "MODIFIED", agent())
    async with sac.http.stream("GET", "/api/v1/events", headers={"Last-Event-ID": last}) as response:
        events = _events(response)
        assert (await anext(events))["event"] == "synced"
        assert (await anext(events))["event"] == "MODIFIED"


async def test_a_version_that_is_too_old_is_410_before_the_stream_begins(sac: Running) -> None:
    sac.core.world.watch_error = ExpiredError("that version is no longer kept")
    answer = await sac.http.get("/api/v1/events", params={"since": "1"})
    assert (answer.status_code, answer.json()["reason"]) == (410, "Expired")


async def test_a_kind_that_is_not_there_is_refused(sac: Running) -> None:
    answer = await sac.http.get("/api/v1/events", params={"kinds": "Agent,Nothing"})
    assert (answer.status_code, answer.json()["field"]) == (422, "kinds")


async def test_a_log_comes_as_bytes_from_its_offset(sac: Running) -> None:
    sac.core.world.logs = [Chunk("stdout", 7, b"a\xff"), Chunk("stdout", 9, b"b")]
    answer = await sac.http.get("/api/v1/agents/a1/logs", params={"since": "3"})
    assert (answer.content, answer.headers["sac-offset"]) == (b"a\xffb", "7")
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_a_followed_log_begins_before_there_is_output_and_ends_with_its_client(sac: Running) -> None:
    async with sac.http.stream("GET", "/api/v1/agents/a1/logs", params={"follow": "true"}) as response:
        assert response.status_code == 200
        await until(lambda: sac.core.world.open_streams == 1)
    await until(lambda: sac.core.world.open_streams == 0)


async def test_a_log_that_is_not_there_is_a_problem(sac: Running) -> None:
    assert (await sac.http.get("/api/v1/agents/nobody/logs")).status_code == 404
    sac.core.world.logs = [NotReadyError("it has not started")]
    assert (await sac.http.get("/api/v1/agents/a1/logs")).status_code == 425


async def test_a_log_that_breaks_does_not_look_whole(sac: Running) -> None:
    sac.core.world.logs = [Chunk("stdout", 0, b"a"), LostError("the body has gone")]
    try:
        await sac.http.get("/api/v1/agents/a1/logs")
    except httpx2.HTTPError:
        return
    raise AssertionError("the answer ended as if it were whole")


async def test_an_exec_whose_client_leaves_is_ended(sac: Running) -> None:
    with anyio.move_on_after(0.5):
        await sac.http.post("/api/v1/agents/a1/exec", json={"argv": ["sleep"]}, timeout=60)
    await until(lambda: sac.core.world.open_streams == 0)


async def test_a_stopping_server_ends_its_streams(sac: Running) -> None:
    async with sac.http.stream("GET", "/api/v1/events") as response:
        events = _events(response)
        await anext(events)
        sac.server.should_exit = True
        with anyio.fail_after(20):
            async for _ in events:
                pass
