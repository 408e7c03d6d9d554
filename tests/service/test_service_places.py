"""Connecting to a place for a body: which addresses are public, and how a connection ends."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import ByteStream
from anyio.streams.stapled import StapledObjectStream

from sac_core.errors import ForbiddenError, UnavailableError
from sac_core.service import places

PRIVATE = (
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%lo", "fc00::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1"),
)


def answering(*addresses: str) -> Any:
    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)) for address in addresses]

    return getaddrinfo


@pytest.mark.parametrize("address", PRIVATE)
async def test_what_is_not_public_is_not_connected_to(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    asked: list[str] = []

    async def connect_tcp(host: str, port: int) -> None:
        asked.append(host)
        raise OSError("not in this test")

    monkeypatch.setattr(anyio, "connect_tcp", connect_tcp)
    monkeypatch.setattr(anyio, "getaddrinfo", answering("93.184.215.14", address))
    with pytest.raises(ForbiddenError, match="not a public address"):
        await places.connect("rebinding.example", 443, private=False)
    assert asked == []
    with pytest.raises(UnavailableError, match="not in this test"):
        await places.connect("rebinding.example", 443, private=True)
    assert asked == ["93.184.215.14", address]


async def test_the_address_that_was_judged_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def connect_tcp(host: str, port: int) -> None:
        asked.append(host)
        raise OSError("not in this test")

    monkeypatch.setattr(anyio, "connect_tcp", connect_tcp)
    monkeypatch.setattr(anyio, "getaddrinfo", answering("93.184.215.14"))
    with pytest.raises(UnavailableError):
        await places.connect("public.example", 443, private=False)
    assert asked == ["93.184.215.14"]


async def test_a_name_that_does_not_exist_is_told() -> None:
    with pytest.raises(UnavailableError, match=r"nothing\.invalid:443 cannot be reached"):
        await places.connect("nothing.invalid", 443, private=False)


async def test_who_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "CONNECT_WITHIN", 0.2)
    monkeypatch.setattr(anyio, "connect_tcp", lambda host, port: anyio.sleep_forever())
    with pytest.raises(UnavailableError, match="did not answer within"):
        await places.connect("127.0.0.1", 443, private=True)


@asynccontextmanager
async def relayed() -> AsyncIterator[tuple[ByteStream, ByteStream]]:
    """A body and a place with a relay between them, which has ended by itself when this is left."""
    (body, body_end), (place, place_end) = _pipe(), _pipe()
    async with body, body_end, place, place_end:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(places.relay, body_end, place_end)
                yield body, place


def _pipe() -> tuple[ByteStream, ByteStream]:
    there, here = anyio.create_memory_object_stream[bytes](10), anyio.create_memory_object_stream[bytes](10)
    one: Any = StapledObjectStream(there[0], here[1])
    other: Any = StapledObjectStream(here[0], there[1])
    return one, other


async def test_each_direction_ends_by_itself() -> None:
    async with relayed() as (body, place):
        await body.send(b"question")
        await body.send_eof()
        assert [data async for data in place] == [b"question"]
        await place.send(b"answer")
        await place.send_eof()
        assert [data async for data in body] == [b"answer"]


async def test_a_connection_on_which_nothing_is_said_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "QUIET", 0.3)
    async with relayed():
        pass


async def test_a_break_of_one_side_ends_both() -> None:
    async with relayed() as (body, place):
        await place.aclose()
        await body.send(b"into nothing")
