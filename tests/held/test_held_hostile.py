"""A link against bodies that lie: everyone who waits is told, nothing hangs, nothing grows."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import pytest
from anyio.abc import ByteStream

from sac_core.errors import DeadlineError, LostError, SacError, UnavailableError, UnsupportedError
from sac_core.held import HolderLink, Silence, open_link
from sac_core.models.process import Command
from sac_core.wire import holder as wire

HELLO = {"version": wire.VERSION, "uid": "u1", "pid": 7, "start": 9, "processes": []}


class Through(ByteStream):
    """Another stream's bytes; nobody sees its socket."""

    def __init__(self, inner: ByteStream) -> None:
        self.inner = inner

    async def receive(self, max_bytes: int = 65536) -> bytes:
        return await self.inner.receive(max_bytes)

    async def send(self, item: bytes) -> None:
        await self.inner.send(item)

    async def send_eof(self) -> None:
        await self.inner.send_eof()

    async def aclose(self) -> None:
        await self.inner.aclose()


class Liar:
    """The other end of a link, in the hands of the test."""

    def __init__(self, stream: ByteStream, link_end: ByteStream) -> None:
        self.stream = stream
        self.link_end = link_end

    async def take_call(self) -> dict[str, Any]:
        head = await self._exactly(wire.HEADER.size)
        payload = await self._exactly(wire.HEADER.unpack(head)[0])
        body: dict[str, Any] = json.loads(payload)
        return body

    async def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += await self.stream.receive(count - len(data))
        return data

    async def answer(self, ok: object) -> dict[str, Any]:
        call = await self.take_call()
        await self.stream.send(wire.encode_json(wire.REPLY, 0, {"id": call["id"], "ok": ok}))
        return call


@pytest.fixture(params=["socket", "stream"])
async def liar(request: pytest.FixtureRequest) -> AsyncIterator[Liar]:
    """Once with the link on its socket, once over a stream that hides it."""
    ours, theirs = socket.socketpair()
    mine = await anyio.abc.UNIXSocketStream.from_socket(ours)
    its: ByteStream = await anyio.abc.UNIXSocketStream.from_socket(theirs)
    async with mine:
        yield Liar(mine, its if request.param == "socket" else Through(its))


@asynccontextmanager
async def greeted(liar: Liar) -> AsyncIterator[HolderLink]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(liar.answer, HELLO)
        async with open_link(liar.link_end, deadline=2) as link:
            yield link


def output(channel: int, offset: int, data: bytes, stream: int = 0) -> bytes:
    return wire.encode(wire.DATA, channel, wire.OUTPUT.pack(stream, offset) + data)


GARBAGE = {
    "no frame at all": b"\xff" * 4096,
    "an oversized frame": wire.HEADER.pack(wire.MAX_PAYLOAD + 1, wire.REPLY, 0),
    "a reply that is no JSON": wire.encode(wire.REPLY, 0, b"{"),
    "a reply that is a list": wire.encode(wire.REPLY, 0, b"[]"),
    "deep JSON": wire.encode(wire.REPLY, 0, b"[" * 100_000),
    "text that is no UTF-8": wire.encode(wire.EVENT, 0, b'"\xff\xfe"'),
    "an unknown type": wire.encode(77, 1, b""),
    "output without a head": wire.encode(wire.DATA, 1, b"xy"),
    "output of an unknown stream": output(1, 0, b"x", stream=9),
    "output that goes backwards": output(1, 10, b"x") + output(1, 5, b"x"),
    "a number that is a text": wire.encode_json(wire.EVENT, 1, {"event": "input", "received": "1"}),
    "a number below zero": wire.encode_json(wire.EVENT, 1, {"event": "input", "received": -1}),
    "an exit of nobody": wire.encode_json(wire.EVENT, 0, {"event": "exit"}),
    "an exit with a wrong code": wire.encode_json(wire.EVENT, 0, {"event": "exit", "process": "p", "code": "0"}),
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_a_lie_ends_the_link_and_tells_who_waits(liar: Liar, name: str) -> None:
    with anyio.fail_after(20):
        async with greeted(liar) as link:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(open_and_read, link)
                await liar.answer({"created": True, "pid": 3})
                assert (await liar.answer({"offset": 0, "end": 0}))["channel"] == 1
                await liar.stream.send(GARBAGE[name])
                await link.closed.wait()
            with pytest.raises(LostError):
                await link.list()


async def open_and_read(link: HolderLink) -> None:
    process = await link.open_process("p", Command(argv=("cat",)))
    with pytest.raises(LostError):
        [chunk async for chunk in process.output()]


async def test_more_output_than_its_credit_ends_the_link(liar: Liar) -> None:
    async def flood() -> None:
        await liar.answer({"created": True, "pid": 3})
        await liar.answer({"offset": 0, "end": 0})
        with suppress(anyio.BrokenResourceError):
            await liar.stream.send(output(1, 0, b"x" * 900_000))

    async with anyio.create_task_group() as tasks:
        with anyio.fail_after(20):
            async with greeted(liar) as link:
                tasks.start_soon(flood)
                process = await link.open_process("p", Command(argv=("cat",)))
                chunks = process.output()
                await anext(chunks)
                await link.closed.wait()


RECORD: dict[str, Any] = {"process": "p", "pid": 1, "argv": ["x"], "tty": False, "start": 0, "end": 0, "exit": None}


@pytest.mark.parametrize(
    "change",
    [
        {"process": 5}, {"process": "p" * 5000}, {"pid": "1"}, {"pid": True}, {"argv": "x"}, {"argv": [1]}, {"end": -1},
        {"start": 1 << 70}, {"exit": 3}, {"exit": {"code": 999}}, {"size": []}, {"size": {"cols": 0, "rows": "many"}},
    ],
)  # fmt: skip
async def test_a_wrong_record_is_refused(liar: Liar, change: dict[str, Any]) -> None:
    async with greeted(liar) as link:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(liar.answer, {"processes": [{**RECORD, **change}]})
            with pytest.raises(LostError, match="malformed"):
                await link.list()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"reason": "Nonsense", "message": "m"}, UnavailableError),
        ({"reason": 1, "message": "m"}, LostError),
        ("text", LostError),
        (None, LostError),
    ],
)
async def test_a_strange_error_is_still_an_error_of_ours(liar: Liar, error: object, kind: type[SacError]) -> None:
    async def refuse() -> None:
        call = await liar.take_call()
        await liar.stream.send(wire.encode_json(wire.REPLY, 0, {"id": call["id"], "error": error}))

    async with greeted(liar) as link:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(refuse)
            with pytest.raises(kind):
                await link.list()


@pytest.mark.parametrize("hello", [{}, {**HELLO, "pid": None}, {**HELLO, "processes": {}}])
async def test_a_wrong_hello_is_refused(liar: Liar, hello: dict[str, Any]) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(liar.answer, hello)
        with pytest.raises(LostError):
            async with open_link(liar.link_end):
                pass


async def test_another_version_is_unsupported(liar: Liar) -> None:
    async def refuse() -> None:
        call = await liar.take_call()
        error = {"reason": "Unsupported", "message": "speaks another version"}
        await liar.stream.send(wire.encode_json(wire.REPLY, 0, {"id": call["id"], "error": error}))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(refuse)
        with pytest.raises(UnsupportedError):
            async with open_link(liar.link_end):
                pass


async def test_silence_has_a_deadline(liar: Liar) -> None:
    with anyio.fail_after(20), pytest.raises(DeadlineError):
        async with open_link(liar.link_end, deadline=0.1):
            pass


async def test_silence_is_told_once_and_named_and_waited_for_less(liar: Liar) -> None:
    told: list[str] = []
    silence = Silence("the holder of agent 'a1'", "restart it", lambda: told.append("silent"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(liar.answer, HELLO)
        async with open_link(liar.link_end, deadline=5, silence=silence) as link:
            link._deadline = 0.2  # only the greeting takes its time
            for _ in range(2):
                with anyio.fail_after(20), pytest.raises(DeadlineError) as caught:
                    await link.list()
                assert str(caught.value) == "the holder of agent 'a1' did not answer 'list' in 0.2 s (restart it)"
            assert told == ["silent"]
            link._deadline = 60.0
            with anyio.fail_after(20), pytest.raises(DeadlineError):
                await link.list()  # while it is silent nobody waits as long
            await liar.stream.send(wire.encode_json(wire.EVENT, 0, {"event": "nothing"}))
            await anyio.wait_all_tasks_blocked()
            link._deadline = 0.2
            with pytest.raises(DeadlineError):
                await link.list()
            assert told == ["silent", "silent"]


async def test_a_holder_that_takes_nothing_is_lost(liar: Liar) -> None:
    with anyio.fail_after(10):
        async with greeted(liar) as link:
            while not link.closed.is_set():
                link.carrier.post(b"x" * 100_000)
                await link.carrier.room()
                await anyio.lowlevel.checkpoint()
            with pytest.raises(LostError, match="took nothing"):
                await link.list()


async def test_a_link_that_is_left_while_data_comes_leaves_quietly(liar: Liar) -> None:
    """The event loop would tell pytest of an error in a callback."""

    async def flood() -> None:
        with suppress(anyio.BrokenResourceError):
            while True:
                await liar.stream.send(wire.encode_json(wire.EVENT, 5, {"event": "input", "received": 1}))

    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            async with greeted(liar) as link:
                tasks.start_soon(flood)
                await anyio.lowlevel.checkpoint()
                scope.cancel()
                await link.closed.wait()


def test_a_decoder_does_not_care_how_bytes_are_cut() -> None:
    frames = output(1, 0, b"abc") + wire.encode_json(wire.EVENT, 1, {"event": "x"}) + output(2, 7, b"", stream=2)
    frames += wire.encode(wire.REPLY, 0, b"{}") + output(1, 3, b"d" * 100, stream=1)
    for size in (1, 2, 7, 9, 10, 64, len(frames)):
        decoder = wire.Decoder()
        pieces = [frames[at : at + size] for at in range(0, len(frames), size)]
        items = [item for piece in pieces for item in decoder.feed(piece)]
        texts = [item.chunk.data for item in items if isinstance(item, wire.Output)]
        assert b"".join(texts) == b"abc" + b"d" * 100
        assert [item.type for item in items if isinstance(item, wire.Frame)] == [wire.EVENT, wire.REPLY]
