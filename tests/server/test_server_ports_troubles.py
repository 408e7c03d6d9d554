"""What is said at the host name of a port when the agent's server is not there, or is none."""

from __future__ import annotations

import socket
import sys

import anyio
import httpx2
import pytest
from websockets.exceptions import ConnectionClosed

from live_server import until
from port_bench import PortBench


async def test_a_port_where_nothing_listens_says_so(own_ports: PortBench) -> None:
    await own_ports.sac.agents.patch("web", {"spec": {"command": None}})
    await own_ports.sac.agents.wait("web", timeout=120)

    async def closed() -> httpx2.Response | None:
        answer = await own_ports.get(headers={"Accept": "text/html"})
        return answer if answer.status_code == 502 and "Nothing listens" in answer.text else None

    answer = await until(closed, seconds=60)
    assert "start a server in it" in answer.text.lower()
    assert (await own_ports.get()).json()["reason"] == "NothingListens"


async def test_a_port_that_another_program_has_is_not_the_agents(own_ports: PortBench) -> None:
    await own_ports.sac.agents.patch("web", {"spec": {"command": None}})
    await own_ports.sac.agents.wait("web", timeout=120)

    async def bound() -> socket.socket | None:
        try:
            return socket.create_server(("127.0.0.1", own_ports.port))
        except OSError:
            return None

    with await until(bound, seconds=60):
        answer = await own_ports.get()
    assert answer.status_code == 502
    assert "is not the agent's" in answer.json()["detail"]


async def test_an_agent_that_is_stopped_says_so(own_ports: PortBench) -> None:
    await own_ports.sac.agents.stop("web")
    await own_ports.sac.agents.wait("web", "Stopped", timeout=120)
    answer = await own_ports.get(headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert "sac start web" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_what_is_no_http_is_said(own_ports: PortBench) -> None:
    await own_ports.sac.agents.patch("web", {"spec": {"command": [sys.executable, "-c", NO_HTTP, str(own_ports.port)]}})

    async def bad() -> httpx2.Response | None:
        answer = await own_ports.get()
        return answer if answer.status_code == 502 and answer.json()["reason"] == "BadAnswer" else None

    await until(bad, seconds=60)


async def test_an_agent_that_stops_ends_its_sockets(own_ports: PortBench) -> None:
    async with own_ports.socket() as socket:
        await socket.recv()
        await own_ports.sac.agents.stop("web")
        with anyio.fail_after(60), pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code in (1012, 1014)  # its server said so, or was gone


async def test_a_deleted_agents_name_opens_nothing_any_more(own_ports: PortBench) -> None:
    await own_ports.sac.agents.delete("web")
    await own_ports.sac.agents.wait("web", "absent", timeout=120)

    async def gone() -> bool:
        return (await own_ports.get()).status_code == 404

    await until(gone)


NO_HTTP = """
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    with listener.accept()[0] as found:
        found.sendall(b"SSH-2.0-x\\r\\n\\r\\n")
"""
