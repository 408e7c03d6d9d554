"""`sac.converse.v1` over a real socket."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from sac_core.wire import converse as wire
from server_fakes import VIEWER_TOKEN
from server_wire import Running, closed, text, until

PATH = "/api/v1/agents/a1/converse"
OPEN = json.dumps({"type": "open"})


def said(words: str) -> str:
    return json.dumps({"type": "send", "text": words})


async def events(socket: Any) -> list[dict[str, Any]]:
    """Those of a turn."""
    told: list[dict[str, Any]] = []
    while not told or told[-1]["type"] != "completed":
        frame = await text(socket)
        assert frame["type"] == "event", frame
        told.append(frame["event"])
    return told


async def test_turns_follow_each_other_and_the_end_of_the_socket_is_the_end(sac: Running) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await socket.send(OPEN)
        assert await text(socket) == {"type": "ready"}
        for words in ("one", "two"):
            await socket.send(said(words))
            assert await events(socket) == [
                {"type": "started", "conversation": "c1", "model": ""},
                {"type": "text", "text": words},
                {"type": "completed", "outcome": "done"},
            ]
    await until(lambda: sac.core.world.conversations[0].closed)


async def test_a_question_is_answered_while_the_turn_goes_on(sac: Running) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await socket.send(OPEN)
        await text(socket)
        await socket.send(said("ask"))
        await text(socket)
        assert (await text(socket))["event"]["input"] == {"command": "ls"}
        await socket.send(json.dumps({"type": "answer", "request": "r1", "allow": False, "message": "no"}))
        assert (await events(socket))[0] == {"type": "text", "text": "r1 False no"}


async def test_a_turn_is_cancelled(sac: Running) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await socket.send(OPEN)
        await text(socket)
        await socket.send(said("wait"))
        await text(socket)
        await socket.send(json.dumps({"type": "cancel"}))
        assert (await events(socket))[-1] == {"type": "completed", "outcome": "cancelled"}


@pytest.mark.parametrize(
    ("frames", "code", "reason"),
    [
        ([said("hello")], 4400, "Invalid"),
        (["{}"], 4400, "Invalid"),
        ([b"bytes"], 4400, "Invalid"),
        ([json.dumps({"type": "open", "resume": "none"})], 4404, "NotFound"),
        ([OPEN, OPEN], 4400, "Invalid"),
        ([OPEN, json.dumps({"type": "answer", "allow": True})], 4400, "Invalid"),
        ([OPEN, said("break")], 4404, "Lost"),
        ([OPEN, said("wait"), said("more")], 4400, "Invalid"),
    ],
)
async def test_what_does_not_fit_ends_the_socket_with_its_reason(
    sac: Running, frames: list[str | bytes], code: int, reason: str
) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        for frame in frames:
            await socket.send(frame)
        with anyio.fail_after(10):
            while (told := await text(socket))["type"] != "error":
                pass
        assert (told["reason"], await closed(socket)) == (reason, code)


async def test_who_may_only_look_may_not_talk(sac: Running) -> None:
    answer = await sac.handshake(PATH, wire.SUBPROTOCOL, f"Authorization: Bearer {VIEWER_TOKEN}")
    assert answer.status == 403


async def test_nothing_said_at_first_has_a_deadline(sac: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sac_core.server.conversesocket.FIRST_FRAME", 0.2)
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        assert (await text(socket))["reason"] == "DeadlineExceeded"
