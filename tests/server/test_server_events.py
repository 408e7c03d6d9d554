"""`sac.events.v1` over a real socket."""

from __future__ import annotations

import json

import pytest

from sac_core.errors import ExpiredError
from sac_core.wire.events import SUBPROTOCOL
from server_fakes import VIEWER_TOKEN, agent, session
from server_wire import Running, closed, text, until

PATH = "/api/v1/events"


async def test_a_subscription_tells_what_is_there_then_what_happens(sac: Running) -> None:
    async with sac.socket(PATH, SUBPROTOCOL) as socket:
        await socket.send(json.dumps({"type": "subscribe", "kinds": ["Agent"]}))
        assert (await text(socket))["object"]["metadata"]["name"] == "a1"
        assert (await text(socket))["type"] == "synced"
        sac.core.world.put("default", "MODIFIED", session())
        sac.core.world.put("default", "DELETED", agent())
        told = await text(socket)
        assert (told["type"], told["object"]["kind"], told["version"]) == (
            "DELETED",
            "Agent",
            str(sac.core.world.version),
        )


async def test_a_new_subscription_replaces_the_one_before(sac: Running) -> None:
    async with sac.socket(PATH, SUBPROTOCOL) as socket:
        await socket.send(json.dumps({"type": "subscribe", "kinds": ["Agent"]}))
        while (await text(socket))["type"] != "synced":
            pass
        since = str(sac.core.world.version)
        await socket.send(json.dumps({"type": "subscribe", "kinds": ["Session"], "since": since}))
        assert await text(socket) == {"type": "synced", "version": since}
        sac.core.world.put("default", "MODIFIED", agent())
        sac.core.world.put("default", "MODIFIED", session())
        assert (await text(socket))["object"]["kind"] == "Session"
        assert sac.core.world.open_streams == 1
    await until(lambda: sac.core.world.open_streams == 0)


async def test_a_version_that_is_too_old_is_told_and_the_socket_stays(sac: Running) -> None:
    async with sac.socket(PATH, SUBPROTOCOL) as socket:
        sac.core.world.watch_error = ExpiredError("that version is no longer kept")
        await socket.send(json.dumps({"type": "subscribe", "since": "1"}))
        told = await text(socket)
        assert (told["type"], told["reason"]) == ("error", "Expired")
        sac.core.world.watch_error = None
        await socket.send(json.dumps({"type": "subscribe"}))
        assert (await text(socket))["type"] == "ADDED"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("x", 4400),
        (b"x", 4400),
        ('{"type":"surprise"}', 4400),
        ('{"type":"subscribe","kinds":["Nothing"]}', 4400),
        ('{"type":"subscribe","surprise":1}', 4400),
        ('{"type":"subscribe","since":"x"}', 4400),
    ],
)
async def test_a_malformed_frame_is_told_and_ends_the_socket(sac: Running, frame: str | bytes, code: int) -> None:
    async with sac.socket(PATH, SUBPROTOCOL) as socket:
        await socket.send(frame)
        assert (await text(socket))["type"] == "error"
        assert await closed(socket) == code


async def test_a_kind_that_may_not_be_listed_may_not_be_watched(sac: Running) -> None:
    sac.core.valid[VIEWER_TOKEN] = sac.core.valid[VIEWER_TOKEN].__class__(
        "user", "v", permissions=frozenset({"agents:list"})
    )
    async with sac.socket(PATH, SUBPROTOCOL, token=VIEWER_TOKEN) as socket:
        await socket.send('{"type":"subscribe","kinds":["Session"]}')
        assert await closed(socket) == 4403
