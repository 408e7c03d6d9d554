"""`sac.exec.v1` over a real socket."""

from __future__ import annotations

import json

import anyio
import pytest

from sac_core.wire import exec as wire
from sac_core.wire import terminal
from server_fakes import TOKEN
from server_wire import Running, closed, text, until

PATH = "/api/v1/agents/a1/exec"


def _request(*argv: str, stdin: bool = False) -> str:
    return json.dumps({"argv": argv, "stdin": stdin})


async def test_streams_stay_apart_and_the_exit_comes_last(sac: Running) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await socket.send(_request("false", "x"))
        assert wire.decode_output(await socket.recv()) == ("stdout", b"false x")  # type: ignore[arg-type]
        assert wire.decode_output(await socket.recv()) == ("stderr", b"oops")  # type: ignore[arg-type]
        assert await text(socket) == {"type": "exit", "code": 1, "reason": ""}
        assert await closed(socket) == 1000
    await until(lambda: sac.core.world.execs[0].closed)


async def test_ten_megabytes_in_and_back_are_identical(sac: Running) -> None:
    data = bytes(range(256)) * 40960
    received = bytearray()
    async with sac.socket(PATH, wire.SUBPROTOCOL, max_size=None, max_queue=None) as socket:
        await socket.send(_request("cat", stdin=True))
        await socket.send(json.dumps({"type": "ack", "bytes": 0}))

        async def type_all() -> None:
            for start in range(0, len(data), 65536):
                await socket.send(wire.encode_input(data[start : start + 65536]))
            await socket.send(json.dumps({"type": "eof"}))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(type_all)
            with anyio.fail_after(20):
                while isinstance(message := await socket.recv(), bytes) or "exit" not in message:
                    if isinstance(message, bytes):
                        received += wire.decode_output(message)[1]
                        await socket.send(json.dumps({"type": "ack", "bytes": len(received)}))
    assert received == data


async def test_no_more_than_the_window_is_sent_ahead_once_acked(sac: Running) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL, max_queue=None) as socket:
        await socket.send(_request("yes"))
        await socket.send(json.dumps({"type": "ack", "bytes": 0}))
        received = 0
        with anyio.move_on_after(0.7):
            while True:
                received += len(await socket.recv()) - 1
        ahead = received
        assert ahead >= terminal.WINDOW
        await socket.send(json.dumps({"type": "ack", "bytes": ahead}))
        with anyio.move_on_after(0.7):
            while True:
                received += len(await socket.recv()) - 1
        assert terminal.WINDOW <= received - ahead <= terminal.WINDOW + 65536


async def test_signals_pass_input_that_waits(sac: Running) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await socket.send(_request("yes", stdin=True))
        await socket.send(wire.encode_input(b"never read"))
        await socket.send(json.dumps({"type": "signal", "name": "INT"}))
        await until(lambda: sac.core.world.execs and sac.core.world.execs[0].signals == ["INT"])


async def test_leaving_ends_the_command(sac: Running) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await socket.send(_request("cat", stdin=True))
        await until(lambda: sac.core.world.execs)
        assert not sac.core.world.execs[0].closed
    await until(lambda: sac.core.world.execs[0].closed)


async def test_input_after_the_end_is_dropped_and_the_exit_still_told(sac: Running) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await socket.send(_request("deaf", stdin=True))
        await socket.send(wire.encode_input(b"hello"))
        assert (await text(socket))["type"] == "exit"


@pytest.mark.parametrize(
    "frames",
    [
        ["{}"], ['{"argv": []}'], ['{"argv": ["x"], "surprise": 1}'], ["x"], [b"\0ls"],
        [_request("cat"), b"\1out"], [_request("cat"), b""], [_request("cat"), '{"type":"resize","cols":1,"rows":1}'],
        [_request("cat"), '{"type":"ack","bytes":-1}'], [_request("cat"), '{"type":"signal","name":"FOO"}'],
    ],
)  # fmt: skip
async def test_a_malformed_frame_is_told_and_ends_the_socket(sac: Running, frames: list[str | bytes]) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        for frame in frames:
            await socket.send(frame)
        assert (await text(socket))["type"] == "error"
        assert await closed(socket) == 4400
    await until(lambda: all(running.closed for running in sac.core.world.execs))


async def test_an_agent_that_is_not_there_is_404_before_the_socket_opens(sac: Running) -> None:
    answer = await sac.handshake("/api/v1/agents/none/exec", wire.SUBPROTOCOL, f"Authorization: Bearer {TOKEN}")
    assert answer.status == 404
    assert sac.core.world.execs == []
