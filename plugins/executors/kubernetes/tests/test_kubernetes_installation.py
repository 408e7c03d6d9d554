"""SAC installed on a cluster by its own manifests: two servers, their agents, their console, the end of each server.

One test, for an installation takes a minute or two: an image is built, and a PostgreSQL runs beside the cluster.
"""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest

from kubernetes_cluster import demand_cluster, kubectl
from kubernetes_image import server_image
from kubernetes_installation import OUTSIDE, Installation, installed
from sac_core.client import connect
from sac_core.client.surface import HttpSac
from sac_core.contracts.sac import Sac
from sac_core.errors import SacError
from sac_core.testing.fixtures import eventually
from sac_core.wire.terminal import Output

PATIENCE = 90.0


@pytest.mark.timeout(900)
async def test_sac_on_a_cluster_by_its_own_manifests(tmp_path: Path) -> None:
    demand_cluster()
    with server_image(tmp_path) as image, installed(tmp_path, image) as installation:
        assert len(installation.servers()) == 2
        await console_is_served(installation)
        await browsers_signed_in_at_one_server_are_known_to_the_other(installation)
        async with connect(f"http://{installation.host}", installation.token, insecure=True) as sac:
            await agent_goes_on_when_servers_are_killed(installation, sac)
            await nothing_remains(installation, sac)


async def console_is_served(installation: Installation) -> None:
    """Its page and all files that it names, at the Service; and at the Ingress' host with its policy for TLS."""
    async with httpx2.AsyncClient(base_url=f"http://{installation.host}") as http:
        page = await http.get("/")
        assert page.status_code == 200
        files = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page.text)
        assert files, page.text
        for name in files:
            file = await http.get(f"/{name}")
            assert file.status_code == 200
            assert file.content
        outside = await http.get("/", headers={"Host": OUTSIDE})
        assert f"connect-src 'self' wss://{OUTSIDE};" in outside.headers["content-security-policy"]
        assert (await http.get("/", headers={"Host": "evil.example.com"})).status_code == 400
        assert (await http.get("/api/v1/agents")).status_code == 401


async def browsers_signed_in_at_one_server_are_known_to_the_other(installation: Installation) -> None:
    """As behind an Ingress, that asks either."""
    first, second = installation.servers().values()
    origin = {"Host": OUTSIDE, "Origin": f"https://{OUTSIDE}"}
    async with httpx2.AsyncClient() as http:
        bearer = {"Authorization": f"Bearer {installation.token}"}
        made = await http.post(f"http://{first}:8765/api/v1/signin-codes", headers=origin | bearer)
        code = {"code": made.json()["code"]}
        signed_in = await http.post(f"http://{second}:8765/api/v1/signin", headers=origin, json=code)
        cookie = signed_in.headers["set-cookie"]
        assert "; secure" in cookie.lower()
        known = {"Cookie": cookie.partition(";")[0], "X-SAC-Secret": signed_in.json()["secret"]}
        me = await http.get(f"http://{first}:8765/api/v1/me", headers=origin | known)
        assert (me.status_code, me.json()["kind"]) == (200, "user")


async def agent_goes_on_when_servers_are_killed(installation: Installation, sac: HttpSac) -> None:
    """Each server is killed once, so that one of them was the agent's; its terminal and its pod are the same after."""
    await sac.agents.create("box")
    agent = await sac.agents.wait("box", timeout=PATIENCE)
    assert (agent.status.executor, agent.status.isolated) == ("kubernetes", True)
    session = (await sac.sessions.create("box")).metadata.name
    await typed(sac, session, "kept=4; echo is$((40 + 2))", b"is42")
    (body,) = pods(installation)
    for number, server in enumerate(installation.servers()):
        kubectl("-n", installation.namespace, "delete", "pod", server, "--grace-period=0", "--force")
        await typed(sac, session, f"echo st{number}-$kept", f"st{number}-4".encode())
        await eventually(lambda: len(installation.servers()) == 2, PATIENCE)
    assert pods(installation) == [body]
    assert (await sac.agents.get("box")).status.restarts == 0


async def nothing_remains(installation: Installation, sac: HttpSac) -> None:
    """Whichever server is the agent's now deletes it."""
    await sac.agents.delete("box")
    await sac.agents.wait("box", "absent", timeout=PATIENCE)
    await eventually(lambda: not installation.found("deployments,pods,services,pvc"), PATIENCE)


def pods(installation: Installation) -> list[tuple[str, int]]:
    """The pods of agents, and how often their containers were started again."""
    return [
        (pod["metadata"]["uid"], status["restartCount"])
        for pod in installation.found("pods")
        for status in pod["status"]["containerStatuses"]
    ]


async def typed(sac: Sac, session: str, line: str, wanted: bytes) -> None:
    """Type a line, and read until the terminal shows what is wanted; the Service may still lead to a killed server."""

    async def shown() -> bool:
        try:
            return await _typed(sac, session, line, wanted)
        except (SacError, OSError):
            return False

    await eventually(shown, PATIENCE)


async def _typed(sac: Sac, session: str, line: str, wanted: bytes) -> bool:
    seen = b""
    async with sac.sessions.attach(session) as terminal:
        await terminal.write(line.encode() + b"\n")
        async for event in terminal:
            seen += event.data if isinstance(event, Output) else b""
            if wanted in seen:
                return True
    return False
