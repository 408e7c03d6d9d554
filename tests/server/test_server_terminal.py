"""`sac.terminal.v1` over a real socket."""

from __future__ import annotations

import socket as sockets
from contextlib import suppress

import anyio
import pytest
from websockets.exceptions import ConnectionClosed

from sac_core.errors import LostError, NotFoundError, UnavailableError
from sac_core.wire import terminal as wire
from server_fakes import TOKEN, FakeTerminal
from server_wire import Running, closed, text, until

PATH = "/api/v1/sessions/s1/attach"


async def test_output_input_and_end(sac: Running) -> None:
    async with sac.socket(f"{PATH}?since=5", wire.SUBPROTOCOL) as socket:
        assert await text(socket) == {
            "type": "attached", "offset": 5, "session": "s1", "role": "control", "end": 0,
            "tty": {"cols": 80, "rows": 24},
        }  # fmt: skip
        (terminal,) = sac.core.world.terminals
        terminal.tell(wire.Output(5, b"\xff\x00a"), wire.Gap(8, 20), wire.Output(20, b"b"))
        assert await socket.recv() == b"\xff\x00a"
        assert await text(socket) == {"type": "gap", "from": 8, "to": 20}
        assert await socket.recv() == b"b"
        await socket.send(b"ls\n")
        for frame in (
            wire.Resize(100, 40), wire.Signal("INT"), wire.Eof(), wire.Ack(21), wire.Take(),
        ):  # fmt: skip
            await socket.send(wire.encode(frame))
        assert await text(socket) == {"type": "role", "role": "control", "controller": False}
        assert terminal.written == b"ls\n"
        assert terminal.calls == [("resize", 100, 40), ("signal", "INT"), ("eof",), ("ack", 21), ("take",)]
        terminal.tell(wire.Input(3), wire.Exited(code=3))
        assert await text(socket) == {"type": "input", "received": 3}
        assert await text(socket) == {"type": "exit", "code": 3, "reason": ""}
        assert await closed(socket) == 1000
    await until(lambda: not sac.core.world.terminals)


async def test_leaving_ends_the_view(sac: Running) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await text(socket)
        assert len(sac.core.world.terminals) == 1
    await until(lambda: not sac.core.world.terminals)


async def test_what_is_not_there_is_404_before_the_socket_opens(sac: Running) -> None:
    bearer = f"Authorization: Bearer {TOKEN}"
    assert (await sac.handshake("/api/v1/sessions/none/attach", wire.SUBPROTOCOL, bearer)).status == 404
    for query in ("mode=root", "since=-1", "surprise=1"):
        answer = await sac.handshake(f"{PATH}?{query}", wire.SUBPROTOCOL, bearer)
        assert answer.status == 422
        assert answer.document["field"] == query.split("=")[0]


FRAMES: list[tuple[str | bytes, bool]] = [
    (b"rm -rf /\n", False),
    (wire.encode(wire.Resize(1, 1)), False),
    (wire.encode(wire.Signal("KILL")), False),
    (wire.encode(wire.Eof()), False),
    (wire.encode(wire.Ack(0)), True),
    (wire.encode(wire.Take()), True),
]


@pytest.mark.parametrize(("frame", "allowed"), FRAMES)
async def test_who_watches_types_nothing(sac: Running, frame: str | bytes, allowed: bool) -> None:
    async with sac.socket(f"{PATH}?mode=view", wire.SUBPROTOCOL) as socket:
        assert (await text(socket))["role"] == "view"
        (terminal,) = sac.core.world.terminals
        await socket.send(frame)
        if allowed:
            await until(lambda: terminal.calls)
            return
        refused = await text(socket)
        assert (refused["type"], refused["reason"]) == ("error", "Forbidden")
        assert terminal.written == b""
        assert terminal.calls == []
        terminal.tell(wire.Output(0, b"still open"))
        assert await socket.recv() == b"still open"


@pytest.mark.parametrize(
    "frame",
    ["", "x", "[]", "{}", '{"type":"surprise"}', '{"type":"resize","cols":0,"rows":1}', '{"type":"resize","cols":80}',
     '{"type":"resize","cols":true,"rows":1}', '{"type":"signal","name":"FOO"}', '{"type":"ack","offset":-1}',
     "[" * 60000],
)  # fmt: skip
async def test_a_malformed_frame_is_told_and_ends_the_socket(sac: Running, frame: str) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await text(socket)
        await socket.send(frame)
        assert (await text(socket))["type"] == "error"
        assert await closed(socket) == 4400


@pytest.mark.parametrize("size", [64 * 1024 + 1, 128 * 1024 + 1, 4 * 1024 * 1024])
async def test_a_message_over_64_kib_ends_the_socket(sac: Running, size: int) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await text(socket)
        (terminal,) = sac.core.world.terminals
        with suppress(ConnectionClosed):  # refused while it is still being sent
            await socket.send(b"x" * size)
        assert await closed(socket) == 1009
        assert terminal.written == b""


async def test_a_message_of_64_kib_is_taken(sac: Running) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await text(socket)
        (terminal,) = sac.core.world.terminals
        await socket.send(b"x" * 64 * 1024)
        await until(lambda: len(terminal.written) == 64 * 1024)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LostError("gone"), 4404),
        (NotFoundError("deleted"), 4404),
        (UnavailableError("full"), 1013),
        (ValueError(), 1011),
    ],
)
async def test_an_error_of_the_session_has_its_close_code(sac: Running, error: Exception, code: int) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await text(socket)
        sac.core.world.terminals[0].tell(error)
        assert await closed(socket) == code


async def test_a_stopping_server_says_come_back(sac: Running) -> None:
    async with sac.socket(PATH, wire.SUBPROTOCOL) as socket:
        await text(socket)
        sac.server.should_exit = True
        assert await closed(socket, within=5) == 1012


async def test_while_a_write_waits_nothing_more_is_read(sac: Running) -> None:
    gate = anyio.Event()

    def gated(name: str) -> FakeTerminal:
        terminal = FakeTerminal(name)
        terminal.gate = gate
        return terminal

    sac.core.world.make_terminal = gated
    async with sac.socket(PATH, wire.SUBPROTOCOL, write_limit=65536) as socket:
        await text(socket)
        (terminal,) = sac.core.world.terminals
        sent = 0
        with anyio.move_on_after(1.0):
            while True:
                await socket.send(b"x" * 32768)
                sent += 32768
        assert sent < 32 * 1024 * 1024
        assert terminal.written == b""
        gate.set()
        await until(lambda: len(terminal.written) >= sent)


async def test_a_viewer_that_stops_reading_is_waited_for_not_buffered_for(sac: Running) -> None:
    with sockets.socket() as quiet:
        quiet.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        quiet.connect(("127.0.0.1", sac.port))
        head = (
            f"GET {PATH} HTTP/1.1", f"Host: 127.0.0.1:{sac.port}", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            f"Sec-WebSocket-Protocol: {wire.SUBPROTOCOL}", f"Authorization: Bearer {TOKEN}", "", "",
        )  # fmt: skip
        quiet.send("\r\n".join(head).encode())
        await until(lambda: sac.core.world.terminals)
        (terminal,) = sac.core.world.terminals
        terminal.tell(*(wire.Output(n * 65536, b"x" * 65536) for n in range(1000)))
        before = -1
        while before != terminal.taken:
            before = terminal.taken
            await anyio.sleep(0.3)
        assert terminal.taken < 200  # what the kernel and one high-water mark take, of 64 MB
        async with sac.socket(PATH, wire.SUBPROTOCOL) as other:
            await text(other)
            sac.core.world.terminals[1].tell(wire.Output(0, b"quick"))
            with anyio.fail_after(20):
                assert await other.recv() == b"quick"
    await until(lambda: len(sac.core.world.terminals) == 0)
