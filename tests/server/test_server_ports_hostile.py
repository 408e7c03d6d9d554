"""Bodies that read nothing, say too much at once, or say what may not be said: the server and its clients go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import ByteStream, SocketStream
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from port_ends import PortClient, Spoken, body_that, head_of, take_socket, taken
from sac_core.errors import DeadlineError, LostError, UnavailableError
from sac_core.server.door import Arrival
from sac_core.server.ports import giving
from sac_core.server.ports.door import Answer
from sac_core.server.ports.exchange import Exchange
from sac_core.server.ports.messages import Message
from sac_core.server.ports.pages import explanation
from sac_core.server.ports.sockets import SocketExchange

MIB = 2**20
MORE = {"type": "http.request", "body": b"x" * MIB, "more_body": True}
CONNECT = {"type": "websocket.connect"}
HEADERS = [(b"host", b"body")]


def sockets(stream: ByteStream, client: PortClient) -> SocketExchange:
    return SocketExchange(stream, {"subprotocols": []}, client.receive, client.send)


async def carry(stream: ByteStream, client: PortClient, method: str = "GET") -> None:
    """One HTTP exchange."""
    headers = HEADERS if method == "GET" else [*HEADERS, (b"transfer-encoding", b"chunked")]
    with anyio.fail_after(60):
        await Exchange(stream, client.receive, client.send).run(method, b"/", headers)


async def silence(stream: SocketStream) -> None:
    await head_of(stream)  # behind that it reads nothing
    await anyio.sleep_forever()


async def test_pings_of_a_body_that_reads_nothing_do_not_break_the_clients_messages() -> None:
    """It is heard meanwhile, and what both directions send to it stays whole."""
    data, resumed = bytes(range(256)) * 48 * 1024, anyio.Event()
    heard: list[Any] = []
    client = PortClient(CONNECT, {"type": "websocket.receive", "bytes": data})

    async def serve(stream: SocketStream) -> None:
        protocol = ServerProtocol(state=OPEN, max_size=None)
        await take_socket(stream)
        protocol.receive_data(await stream.receive())  # now the client's message is on its way
        for number in range(20):
            protocol.send_ping(b"%100d" % number)
        protocol.send_text(b"heard")
        await stream.send(b"".join(protocol.data_to_send()))
        await resumed.wait()
        while len(heard) < 21:
            protocol.receive_data(await stream.receive())
            heard.extend(protocol.events_received())
        protocol.send_close(4000)
        await stream.send(b"".join(protocol.data_to_send()))

    async with body_that(serve) as stream, anyio.create_task_group() as tasks:

        async def run() -> None:
            await sockets(stream, client).run(b"/", HEADERS)

        tasks.start_soon(run)
        await client.got(lambda message: message.get("text") == "heard")
        resumed.set()
        await client.got(lambda message: message["type"] == "websocket.close")
    assert client.sent[-1]["code"] == 4000
    assert [bytes(frame.data) for frame in heard if frame.opcode is Opcode.BINARY] == [data]
    assert [frame.data for frame in heard if frame.opcode is Opcode.PONG] == [b"%100d" % n for n in range(20)]


async def test_a_body_that_takes_no_upload_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client may have left long ago."""
    monkeypatch.setattr(giving, "STALL", 0.3)
    async with body_that(silence) as stream:
        with pytest.raises(DeadlineError) as caught:
            await carry(stream, PortClient(*[MORE] * 64), "POST")
    assert caught.value.reason == "Stalled"


async def test_a_body_that_talks_and_takes_no_upload_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving, "STALL", 0.3)

    async def talk(stream: SocketStream) -> None:
        await head_of(stream)
        await stream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await stream.send(b"5\r\nhello\r\n")
            await anyio.sleep(0.02)

    client = PortClient(*[MORE] * 64)
    async with body_that(talk) as stream:
        with pytest.raises(DeadlineError):
            await carry(stream, client, "POST")
    assert client.sent[0]["status"] == 200


async def test_a_body_that_takes_no_messages_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving, "STALL", 0.3)

    async def serve(stream: SocketStream) -> None:
        await take_socket(stream)
        await anyio.sleep_forever()

    client = PortClient(CONNECT, *[{"type": "websocket.receive", "bytes": b"x" * MIB}] * 15)
    async with body_that(serve) as stream:
        with anyio.fail_after(60), pytest.raises(DeadlineError) as caught:
            await sockets(stream, client).run(b"/", HEADERS)
    assert caught.value.reason == "Stalled"


@asynccontextmanager
async def turns() -> AsyncIterator[list[int]]:
    """How often others have their turn meanwhile."""
    counted = [0]

    async def count() -> None:
        while True:
            counted[0] += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        yield counted
        tasks.cancel_scope.cancel()


async def test_many_frames_at_once_do_not_hold_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = b"".join(Frame(Opcode.PING, b"").serialize(mask=False) for _ in range(32768))
    client = PortClient(CONNECT)
    exchange = sockets(Spoken(), client)
    exchange._stream = Spoken(taken(exchange._protocol.key), frames)
    read, sizes = exchange._protocol.receive_data, []

    def noted(data: bytes) -> None:
        sizes.append(len(data))
        read(data)

    monkeypatch.setattr(exchange._protocol, "receive_data", noted)
    async with turns() as counted:
        await exchange.run(b"/", HEADERS)
        assert counted[0] > 12
    assert max(sizes) <= 4096
    assert client.sent[-1]["type"] == "websocket.close"


@pytest.mark.parametrize(
    "piece",
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 10000, b"HTTP/1.1 100 \r\n\r\n" * 3000],
)
async def test_many_chunks_at_once_do_not_hold_the_server(piece: bytes) -> None:
    client = PortClient()
    async with turns() as counted:
        with pytest.raises(LostError):
            await carry(Spoken(piece), client)
        assert counted[0] > 30
    assert len(client.sent) < 10  # chunks that come together go on together
    assert b"".join(message.get("body", b"") for message in client.sent) == b"a" * piece.count(b"a\r")


def test_frames_without_bytes_take_no_room() -> None:
    message = Message()
    message.add(Frame(Opcode.TEXT, b"a", fin=False))
    for _ in range(1000):
        assert message.add(Frame(Opcode.CONT, b"", fin=False)) is None
    assert message.data == b"a"
    assert message.add(Frame(Opcode.CONT, b"b")) == {"type": "websocket.send", "text": "ab"}
    assert message.add(Frame(Opcode.BINARY, b"c")) == {"type": "websocket.send", "bytes": b"c"}


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: a\x01b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: a\x7f\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_an_answer_that_cannot_be_passed_on_is_said(answer: bytes) -> None:
    client = PortClient()
    with pytest.raises(LostError) as caught:
        await carry(Spoken(answer), client)
    assert caught.value.reason == "BadAnswer"
    assert client.sent == []


async def test_an_answer_that_was_not_sent_has_not_begun() -> None:
    """Then the client may still be told why."""

    async def broken(message: Any) -> None:
        raise RuntimeError(message["type"])

    answer = Answer(broken)
    with pytest.raises(RuntimeError):
        await answer({"type": "http.response.start", "status": 200})
    assert not answer.started


def test_too_many_connections_are_not_an_agent_that_does_not_run() -> None:
    scope = {"type": "http", "headers": [(b"accept", b"text/html")]}
    page = explanation(UnavailableError("64 are open", reason="Busy"), scope, Arrival(authority=None))
    assert page.status_code == 503
    assert b"<h1>Too many connections are open</h1>" in page.body
