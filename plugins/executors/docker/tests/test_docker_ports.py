"""Ports of agents in containers, through the holder: on the container's loopback, with a network and without one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from anyio.abc import ByteStream

from docker_engine import docker
from sac_core.core import Core, open_core
from sac_core.errors import LaunchError, NotFoundError, NotReadyError
from sac_core.models.principal import LOCAL
from sac_core.server import create_app
from sac_core.settings import Settings
from sac_core.testing.fixtures import eventually
from sac_executor_docker import plugin

SERVE = """
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 200
Server(("127.0.0.1", 8000), Echo).serve_forever()
"""
PORTS = [{"name": "web", "port": 8000}, {"name": "silent", "port": 8001}]
SAID = bytes(range(256)) * 4096 * 8


def settings(data: Path, image: str) -> Settings:
    return Settings(data_dir=data, plugins={"docker": {"image": image}}, resync=2.0)


def plugins() -> list[tuple[str, object]]:
    from importlib.metadata import entry_points

    return [] if entry_points(group="sac", name="docker") else [("docker", plugin)]


async def served(core: Core, **more: Any) -> str:
    """The uid of a running agent ``box`` whose server listens."""
    sac = core.sac(LOCAL)
    await sac.agents.create("box", {"executor": "docker", "command": ["python3", "-c", SERVE], "ports": PORTS, **more})
    uid = (await sac.agents.wait("box", timeout=60)).metadata.uid

    async def listens() -> bool:
        try:
            await (await core.dial(LOCAL, uid, 8000)).aclose()
        except NotReadyError:
            return False
        return True

    await eventually(listens, 60)
    return uid


async def said_back(stream: ByteStream) -> bytes:
    async def say() -> None:
        await stream.send(SAID)
        await stream.send_eof()

    heard: list[bytes] = []
    async with stream, anyio.create_task_group() as tasks:
        tasks.start_soon(say)
        heard.extend([data async for data in stream])
    return b"".join(heard)


@pytest.mark.parametrize("egress", ["all", "none"])
async def test_a_server_on_the_containers_loopback_is_reached(tmp_path: Path, python_image: str, egress: str) -> None:
    async with open_core(settings(tmp_path / "data", python_image), plugins=plugins()) as core:
        uid = await served(core, egress={"mode": egress})
        heard: list[bytes] = []

        async def converse() -> None:
            heard.append(await said_back(await core.dial(LOCAL, uid, 8000)))

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(converse)
        assert [each == SAID for each in heard] == [True] * 5
        with pytest.raises(NotReadyError) as caught:
            await core.dial(LOCAL, uid, 8001)
        assert caught.value.reason == "NothingListens"
        with pytest.raises(NotFoundError):
            await core.dial(LOCAL, uid, 8002)
        published = docker("ps", "--filter", f"label=sac/uid={uid}", "--format", "{{.Ports}}")
        assert published == ""
        await core.sac(LOCAL).agents.delete("box")
        await core.sac(LOCAL).agents.wait("box", "absent", timeout=60)


async def test_http_is_served_at_the_ports_own_host_name(tmp_path: Path, python_image: str) -> None:
    async with open_core(settings(tmp_path / "data", python_image), plugins=plugins()) as core:
        sac, token = core.sac(LOCAL), (tmp_path / "data" / "token").read_text().strip()
        command = ["sh", "-c", "head -c 20000000 /dev/urandom > big; exec python3 -m http.server 8000 --bind 127.0.0.1"]
        await sac.agents.create("box", {"executor": "docker", "command": command, "ports": PORTS})
        uid = (await sac.agents.wait("box", timeout=60)).metadata.uid
        address, bearer = f"http://p8000-{uid}.localhost", {"Authorization": f"Bearer {token}"}
        transport = httpx2.ASGITransport(app=create_app(core))
        async with httpx2.AsyncClient(transport=transport, base_url=address, headers=bearer) as http:

            async def listed() -> bool:
                return "big" in (await http.get("/")).text

            await eventually(listed, 60)
            digest = hashlib.sha256((await http.get("/big")).content).hexdigest()
        assert (await sac.exec("box", ["sha256sum", "big"])).stdout.split()[0] == digest
        await sac.agents.delete("box")
        await sac.agents.wait("box", "absent", timeout=60)


async def test_an_image_without_python_has_no_ports(tmp_path: Path, plain_image: str) -> None:
    async with open_core(settings(tmp_path / "data", plain_image), plugins=plugins()) as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("box", {"executor": "docker", "ports": PORTS})
        with pytest.raises(LaunchError, match=r"spec\.ports.*no Python"):
            await sac.agents.wait("box", timeout=60)
        await sac.agents.delete("box")
        await sac.agents.wait("box", "absent", timeout=60)
