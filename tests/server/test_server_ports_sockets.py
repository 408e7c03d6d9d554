"""WebSockets to a server in a body, by its own host name."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import anyio
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from port_bench import PortBench


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """asyncio only; one agent serves the whole module."""
    return "asyncio"


async def opened_with(socket: Any) -> dict[str, list[str]]:
    """The headers that the body got."""
    headers: dict[str, list[str]] = {}
    for name, value in json.loads(await socket.recv())["headers"]:
        headers.setdefault(name, []).append(value)
    return headers


async def end_of(socket: Any) -> tuple[int, str]:
    """The close code and reason that come."""
    with anyio.fail_after(60):
        await socket.wait_closed()
    with pytest.raises(ConnectionClosed) as caught:
        await socket.recv()
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


async def test_messages_of_both_kinds_come_back(ports: PortBench) -> None:
    async with ports.socket() as socket:
        await opened_with(socket)
        for message in ("hello", "ü" * 1000, b"\x00\xff" * 1000, "", b""):
            await socket.send(message)
            assert await socket.recv() == message


async def test_large_messages_pass_whole(ports: PortBench) -> None:
    async with ports.socket() as socket:
        await opened_with(socket)
        data = bytes(range(256)) * 32 * 1024
        await socket.send(data)
        assert await socket.recv() == data


async def test_many_messages_keep_their_order(ports: PortBench) -> None:
    async with ports.socket() as socket:
        await opened_with(socket)

        async def say() -> None:
            for number in range(2000):
                await socket.send(str(number))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(say)
            assert [await socket.recv() for _ in range(2000)] == [str(number) for number in range(2000)]


async def test_the_body_sees_its_own_host_and_no_credential(ports: PortBench) -> None:
    async with ports.socket("/ws?a=1", headers={"Cookie": "sac-1-2=canary; a=1", "Origin": ports.origin}) as socket:
        headers = await opened_with(socket)
    assert headers["host"] == [ports.host]
    assert headers["origin"] == [ports.origin]
    assert headers["cookie"] == ["a=1"]
    assert "authorization" not in headers
    assert len(headers["sec-websocket-key"]) == 1


async def test_a_subprotocol_is_agreed_upon(ports: PortBench) -> None:
    async with ports.socket(subprotocols=[Subprotocol("one"), Subprotocol("two")]) as socket:
        assert socket.subprotocol == "one"


async def test_the_bodys_close_reaches_the_client(ports: PortBench) -> None:
    async with ports.socket() as socket:
        await opened_with(socket)
        await socket.send("close")
        assert await end_of(socket) == (4321, "as you wish")


async def test_the_clients_close_reaches_the_body(ports: PortBench) -> None:
    async with ports.socket() as socket:
        await opened_with(socket)
        await socket.close(4001, "enough")
    await ports.noted("socket ended 4001")


async def test_a_client_that_vanishes_ends_the_bodys_socket(ports: PortBench) -> None:
    async with ports.socket() as socket:
        await opened_with(socket)
        socket.transport.abort()
    await ports.noted("socket ended 1005")


async def test_a_refusal_is_passed_on(ports: PortBench) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with ports.socket("/ws?refuse=1"):
            raise AssertionError("it was accepted")
    assert caught.value.response.status_code == 418
    with pytest.raises(InvalidStatus) as caught:
        async with ports.socket("/echo"):
            raise AssertionError("it was accepted")
    assert caught.value.response.status_code in (403, 404)


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
async def test_another_origin_or_nobody_is_refused_before_the_body_hears(ports: PortBench, origin: str) -> None:
    for given, status in (({"headers": {"Origin": origin}}, 403), ({"token": None}, 401)):
        with pytest.raises(InvalidStatus) as caught:
            async with ports.socket(**given):
                raise AssertionError("it was accepted")
        assert caught.value.response.status_code == status


async def test_a_message_that_is_too_large_for_us_ends_the_socket_alone(ports: PortBench) -> None:
    async with ports.socket() as socket:
        await opened_with(socket)
        with suppress(ConnectionClosed):  # it may come before all is sent
            await socket.send(b"x" * (17 * 2**20))
        assert (await end_of(socket))[0] == 1009
    assert (await ports.get()).status_code == 200
