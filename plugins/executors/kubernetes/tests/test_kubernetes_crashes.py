"""The server is killed before a call of the cluster; the next one makes true what is declared, and leaves nothing.

A part is played with the other tests, the whole by `nox -s sweep`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from dying_on_cluster import NAME, PATIENCE, offers, settings_of
from kubernetes_cluster import IMAGE, TestCluster
from sac_core.contracts.sac import Sac
from sac_core.core import open_core
from sac_core.errors import NotFoundError
from sac_core.models.principal import LOCAL
from sac_core.testing.fixtures import eventually

_SCRIPT = Path(__file__).with_name("dying_on_cluster.py")
_EVERYTHING = "deployments,replicasets,pods,services,secrets,pvc"
_SWEEP = os.environ.get("SAC_TEST_SWEEP")
_SAMPLE = range(5, 60, 19)
CALLS = range(1, 131, int(_SWEEP)) if _SWEEP else _SAMPLE
"""More than a life has: those behind its end are skipped."""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def about(cluster: TestCluster, storage_class: str) -> dict[str, Any]:
    """The executor's settings."""
    return {**cluster.settings.model_dump(mode="json", exclude_unset=True), "storage_class": storage_class}


@pytest.fixture
def lookalikes(cluster: TestCluster) -> Iterator[list[tuple[str, str]]]:
    """Kind and uid of what is named as if it were ours, and has none of our labels."""
    name = "sac-0123456789abcdef0123456789abcdef"
    made = [_deployment(name), _service(name), _claim(name)]
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
    yield [(each["kind"], each["metadata"]["uid"]) for each in _named(cluster, name)]
    cluster.kubectl("delete", "deployment,service,pvc", name, "--wait=false")


def live_and_die(data: Path, about: dict[str, Any], call: int) -> bool:
    """Whether it died."""
    source = _SCRIPT.parents[1] / "src"
    env = os.environ | {"PYTHONPATH": f"{source}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, str(_SCRIPT), str(data), json.dumps(about), f"{IMAGE}-other", str(call)]
    done = subprocess.run(command, env=env, capture_output=True, timeout=300, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode != 0


def left(cluster: TestCluster, owner: str) -> list[str]:
    """All that an installation has on the cluster."""
    return [f"{each['kind']} {each['metadata']['name']}" for each in cluster.found(_EVERYTHING, f"sac/owner={owner}")]


async def as_declared(sac: Sac, cluster: TestCluster) -> None:
    """The agent becomes what its row says, with one body at most; then it is deleted."""
    try:
        agent = await sac.agents.get(NAME)
    except NotFoundError:
        return
    if agent.metadata.deletion_timestamp is None:
        await sac.agents.wait(NAME, agent.spec.state, timeout=PATIENCE)
        found = cluster.found(_EVERYTHING, f"sac/uid={agent.metadata.uid}")
        pods = [each for each in found if each["kind"] == "Pod" and "deletionTimestamp" not in each["metadata"]]
        assert len(pods) == (1 if agent.spec.state == "Running" else 0)
        assert [each["kind"] for each in found].count("Deployment") == 1
        assert [each["kind"] for each in found].count("Service") == 1
        await sac.agents.delete(NAME)
    await sac.agents.wait(NAME, "absent", timeout=PATIENCE)


@pytest.mark.parametrize("call", CALLS)
async def test_whenever_it_is_killed_nothing_is_left_behind(
    tmp_path: Path, cluster: TestCluster, about: dict[str, Any], lookalikes: list[tuple[str, str]], call: int
) -> None:
    data = tmp_path / "data"
    died = await anyio.to_thread.run_sync(live_and_die, data, about, call)
    if not died:
        pytest.skip("the life is over before")
    async with open_core(settings_of(data, about), plugins=offers()) as core:
        sac = core.sac(LOCAL)
        owner = (await sac.status()).installation
        await as_declared(sac, cluster)
        await eventually(lambda: left(cluster, owner) == [], PATIENCE, describe=f"nothing left of {owner}")
    name = "sac-0123456789abcdef0123456789abcdef"
    assert [(each["kind"], each["metadata"]["uid"]) for each in _named(cluster, name)] == lookalikes


def _named(cluster: TestCluster, name: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(cluster.kubectl("get", "deployment,service,pvc", name, "-o", "json"))[
        "items"
    ]
    return items


def _deployment(name: str) -> dict[str, Any]:
    labels = {"app": "lookalike"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "agent", "image": IMAGE}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    }


def _service(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"clusterIP": "None", "selector": {"app": "lookalike"}},
    }


def _claim(name: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "lookalike"}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {**spec, "resources": {"requests": {"storage": "1Mi"}}},
    }
