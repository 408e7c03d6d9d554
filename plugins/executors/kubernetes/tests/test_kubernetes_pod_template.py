"""Pods of a template on a cluster: what stands in the guide, and what a status says when a part of it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kubernetes_cluster import IMAGE, TestCluster
from kubernetes_sac import deleted, server
from sac_core.contracts.sac import Sac
from sac_core.testing.fixtures import eventually

_FILE = Path(__file__).parents[4] / "docs" / "snippets" / "pod_template.yaml"
GUIDE = _FILE.read_text().replace("python:3.13-slim", IMAGE)


def beside(name: str, script: str) -> dict[str, Any]:
    """A container of a template."""
    return {"name": name, "image": IMAGE, "command": ["sh", "-c", script]}


async def says(sac: Sac, reason: str, words: str) -> None:
    """Wait until the agent's status says so."""

    async def said() -> bool:
        status = (await sac.agents.get("box")).status
        return status.reason == reason and words in status.message

    await eventually(said, 60)


async def test_the_template_of_the_guide_is_what_the_agent_gets(tmp_path: Path, cluster: TestCluster) -> None:
    async with server(tmp_path / "data", cluster, pod_template=GUIDE) as sac:
        agent = await sac.agents.create("box", {"executor": "kubernetes"})
        await sac.agents.wait("box", timeout=90)
        assert (await sac.exec("box", ["cat", "/shared/notes"])).stdout == "from the operator\n"
        assert (await sac.exec("box", ["sh", "-c", "until cat /shared/now; do sleep 0.1; done"])).stdout
        assert (await sac.exec("box", ["touch", "/shared/mine"])).code != 0
        (pod,) = cluster.found("pods", f"sac/uid={agent.metadata.uid},team=research")
        assert [each["name"] for each in pod["spec"]["containers"]] == ["agent", "clock"]
        await deleted(sac, cluster, agent.metadata.uid)


async def test_the_same_template_makes_the_same_pod_again(tmp_path: Path, cluster: TestCluster) -> None:
    """Also of another server, and after a stop: the cluster's own hash of it says so."""

    def hash_of(uid: str) -> str:
        pods = [each["metadata"] for each in cluster.found("pods", f"sac/uid={uid}")]
        (pod,) = [each for each in pods if "deletionTimestamp" not in each]  # one that has ended stays for a moment
        return str(pod["labels"]["pod-template-hash"])

    async with server(tmp_path / "data", cluster, pod_template=GUIDE) as sac:
        uid = (await sac.agents.create("box", {"executor": "kubernetes"})).metadata.uid
        await sac.agents.wait("box", timeout=90)
        before = hash_of(uid)
    async with server(tmp_path / "data", cluster, pod_template=GUIDE) as sac:
        await sac.agents.stop("box")
        await sac.agents.wait("box", "Stopped", timeout=90)
        await sac.agents.start("box")
        await sac.agents.wait("box", timeout=90)
        assert hash_of(uid) == before
        await deleted(sac, cluster, uid)


async def test_a_side_container_that_ends_again_and_again_does_not_disturb_the_agent(
    tmp_path: Path, cluster: TestCluster
) -> None:
    template = {"spec": {"containers": [beside("a-crash", "exit 4")]}}
    async with server(tmp_path / "data", cluster, pod_template=template) as sac:
        agent = await sac.agents.create("box", {"executor": "kubernetes"})
        await sac.agents.wait("box", timeout=90)

        def ended() -> bool:
            (pod,) = cluster.found("pods", f"sac/uid={agent.metadata.uid}")
            return any(each["restartCount"] for each in pod["status"]["containerStatuses"])

        await eventually(ended, 60)
        assert (await sac.exec("box", ["echo", "here"])).stdout == "here\n"
        assert (await sac.agents.get("box")).status.phase == "Running"
        await deleted(sac, cluster, agent.metadata.uid)


async def test_an_init_container_that_fails_is_named_with_what_it_said(tmp_path: Path, cluster: TestCluster) -> None:
    template = {"spec": {"initContainers": [beside("seed", "echo no such bucket >&2; exit 4")]}}
    async with server(tmp_path / "data", cluster, pod_template=template) as sac:
        agent = await sac.agents.create("box", {"executor": "kubernetes"})
        await says(sac, "CrashLoop", "init container seed ended (code 4: no such bucket)")
        await deleted(sac, cluster, agent.metadata.uid)


async def test_a_node_selector_that_no_node_fits_says_so(tmp_path: Path, cluster: TestCluster) -> None:
    async with server(tmp_path / "data", cluster, agents_may=["nodeSelector"]) as sac:
        options = {"nodeSelector": {"disk": "of-gold"}}
        agent = await sac.agents.create("box", {"executor": "kubernetes", "options": options})
        await says(sac, "Unschedulable", "nodes are available")
        await deleted(sac, cluster, agent.metadata.uid)
