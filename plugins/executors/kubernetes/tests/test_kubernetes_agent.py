"""An agent in a pod from beginning to end, through SAC: its terminal, restarts, stop with a volume, delete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kubernetes_cluster import TestCluster
from kubernetes_sac import deleted, server
from sac_core.contracts.sac import Sac
from sac_core.errors import LaunchError, UnsupportedError
from sac_core.testing.fixtures import eventually
from sac_core.wire.terminal import Output

PLAIN_IMAGE = "sac-test/busybox:1"


async def typed(sac: Sac, session: str, line: str, wanted: bytes) -> None:
    """Type a line, and read until the terminal shows what is wanted."""
    seen = b""
    async with sac.sessions.attach(session) as terminal:
        await terminal.write(line.encode() + b"\n")
        async for event in terminal:
            seen += event.data if isinstance(event, Output) else b""
            if wanted in seen:
                return
    raise AssertionError(f"{wanted!r} is not in {seen!r}")


async def test_a_terminal_outlives_sac_and_delete_leaves_nothing(tmp_path: Path, cluster: TestCluster) -> None:
    async with server(tmp_path / "data", cluster) as sac:
        agent = await sac.agents.create("box", {"executor": "kubernetes"})
        await sac.agents.wait("box", timeout=90)
        session = (await sac.sessions.create("box")).metadata.name
        await typed(sac, session, "kept=4; echo is$((40 + 2)); sleep 600", b"is42")
    async with server(tmp_path / "data", cluster) as sac:
        await typed(sac, session, "\x03echo st$?-$kept", b"st130-4")
        assert (await sac.exec("box", ["sh", "-c", "echo out; echo err >&2; exit 3"])).code == 3
        await deleted(sac, cluster, agent.metadata.uid)


async def test_each_agent_has_one_deployment_and_one_service_with_its_ports(
    tmp_path: Path, cluster: TestCluster
) -> None:
    async with server(tmp_path / "data", cluster) as sac:
        agent = await sac.agents.create("box", {"executor": "kubernetes", "ports": [{"name": "web", "port": 8080}]})
        await sac.agents.wait("box", timeout=90)
        uid = agent.metadata.uid
        told = (await sac.agents.get("box")).status.details
        assert len(cluster.found("deployments", f"sac/uid={uid}")) == 1
        (service,) = cluster.found("services", f"sac/uid={uid}")
        assert service["spec"]["clusterIP"] == told["address"]
        assert told["service"] == f"{service['metadata']['name']}.{cluster.namespace}.svc"
        (pod,) = cluster.found("pods", f"sac/uid={uid}")
        assert (told["pod"], told["node"]) == (pod["metadata"]["name"], pod["spec"]["nodeName"])
        assert [(each["name"], each["port"]) for each in service["spec"]["ports"]] == [("web", 8080)]
        assert len(cluster.found("pods", "app=sac-agent,agent=box")) == 1
        await deleted(sac, cluster, uid)


async def test_stop_keeps_the_volume_and_delete_removes_it(
    tmp_path: Path, cluster: TestCluster, storage_class: str
) -> None:
    async with server(tmp_path / "data", cluster, storage_class=storage_class) as sac:
        options = {"storage": 64 << 20}
        agent = await sac.agents.create("box", {"executor": "kubernetes", "options": options})
        await sac.agents.wait("box", timeout=90)
        await sac.exec("box", ["sh", "-c", "echo mine > notes; echo home > ~/home"])
        await sac.agents.stop("box")
        await sac.agents.wait("box", "Stopped", timeout=90)
        await sac.agents.start("box")
        await sac.agents.wait("box", timeout=90)
        assert (await sac.exec("box", ["sh", "-c", "cat notes ~/home"])).stdout == "mine\nhome\n"
        await deleted(sac, cluster, agent.metadata.uid)


async def test_a_delete_may_leave_the_volume_and_names_it(
    tmp_path: Path, cluster: TestCluster, storage_class: str
) -> None:
    async with server(tmp_path / "data", cluster, storage_class=storage_class) as sac:
        options = {"storage": 64 << 20}
        agent = await sac.agents.create("box", {"executor": "kubernetes", "options": options})
        await sac.agents.wait("box", timeout=90)
        await sac.agents.delete("box", keep_volumes=True)
        await sac.agents.wait("box", "absent", timeout=90)
        kept = (await sac.agents.timeline(agent.metadata.uid)).items[-1].details["kept"]
    selector = f"sac/uid={agent.metadata.uid}"
    try:
        claims = cluster.found("persistentvolumeclaims", selector)
        assert kept == f"its volumes are kept: {claims[0]['metadata']['name']}"
        assert not cluster.found("deployments,services", selector)
    finally:
        cluster.kubectl("delete", "persistentvolumeclaims", "-l", selector, "--wait=false")


async def test_programs_that_somebody_tidied_up_are_brought_again(tmp_path: Path, cluster: TestCluster) -> None:
    async with server(tmp_path / "data", cluster) as sac:
        for name in ("one", "two"):
            await sac.agents.create(name, {"executor": "kubernetes"})
            await sac.agents.wait(name, timeout=90)
            cluster.kubectl("delete", "configmaps", "-l", "app=sac-agent")
        for name in ("one", "two"):
            await sac.agents.delete(name)
            await sac.agents.wait(name, "absent", timeout=90)


async def test_a_pod_deleted_behind_our_back_is_another_body(tmp_path: Path, cluster: TestCluster) -> None:
    async with server(tmp_path / "data", cluster) as sac:
        agent = await sac.agents.create("box", {"executor": "kubernetes", "command": ["sleep", "600"]})
        await sac.agents.wait("box", timeout=90)
        selector = f"sac/uid={agent.metadata.uid}"
        cluster.kubectl("delete", "pods", "-l", selector, "--grace-period=1", "--wait=false")

        async def again() -> bool:
            found = await sac.agents.get("box")
            return found.status.restarts > 0 and found.status.phase == "Running"

        await eventually(again, 90)
        assert "sleep 600" in (await sac.exec("box", ["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"])).stdout
        await deleted(sac, cluster, agent.metadata.uid)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"image": PLAIN_IMAGE}, "Unsupported.*no Python"),
        ({"image": "127.0.0.1:1/sac/UPPER:1"}, "ImageNotFound|InvalidSpec"),
    ],
)
async def test_what_cannot_start_says_why(
    tmp_path: Path, cluster: TestCluster, spec: dict[str, str], words: str
) -> None:
    async with server(tmp_path / "data", cluster) as sac:
        agent = await sac.agents.create("box", {"executor": "kubernetes", **spec})
        with pytest.raises((LaunchError, UnsupportedError)):
            await sac.agents.wait("box", timeout=60)
        status = (await sac.agents.get("box")).status
        assert re.search(words, f"{status.reason} {status.message}"), status
        await deleted(sac, cluster, agent.metadata.uid)


async def test_what_no_node_can_take_says_so_meanwhile(tmp_path: Path, cluster: TestCluster) -> None:
    async with server(tmp_path / "data", cluster, memory=1 << 50, request_memory=1 << 50) as sac:
        agent = await sac.agents.create("box", {"executor": "kubernetes"})

        async def said() -> bool:
            return "Insufficient memory" in (await sac.agents.get("box")).status.message

        await eventually(said, 30)
        await deleted(sac, cluster, agent.metadata.uid)
