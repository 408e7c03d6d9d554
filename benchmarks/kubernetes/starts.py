"""From the request for an agent to Running, beside `kubectl apply` of the same manifests until Ready."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from benchmarks.bodies import Server
from benchmarks.docker.agents import running
from benchmarks.figures import Bar, Figure, compared
from benchmarks.kubernetes.cluster import Cluster, open_cluster

_NUMBERS = count(1)
_PEER = "kubectl apply"
_NOTES = ("the peer's are the Deployment and the Service of an agent of SAC, under other names; Ready without a probe",)

Pairs = list[tuple[float, float]]


def measure(*, rounds: int = 10, together: int = 30, batches: int = 2) -> Iterator[Figure]:
    """Ours and the peer's in turn; what was made is removed outside of the measured time."""
    with open_cluster() as (cluster, server), running(server, cluster.image, ["bench-stays"], executor="kubernetes"):
        model = _model(cluster, server.look("bench-stays")["metadata"]["uid"])
        alone = _in_turn(server, cluster, model, 1, rounds, warm=1)
        yield _figure("create to Running, pod", alone)
        yield _figure(f"{together} pods at once to Running", _in_turn(server, cluster, model, together, batches))


def _figure(name: str, pairs: Pairs) -> Figure:
    ours, peer = zip(*pairs, strict=True)
    return compared(name, "s", ours, peer, peer_name=_PEER, bar=Bar(1.3), notes=_NOTES)


def _in_turn(server: Server, cluster: Cluster, model: str, number: int, rounds: int, *, warm: int = 0) -> Pairs:
    """Seconds of so many of ours and of the peer's, until the last one runs."""
    pairs = [(_agents(server, cluster, number), _applied(cluster, model, number)) for _ in range(rounds + warm)]
    return pairs[warm:]


def _agents(server: Server, cluster: Cluster, number: int) -> float:
    names = [f"bench-{next(_NUMBERS)}" for _ in range(number)]
    with running(server, cluster.image, names, executor="kubernetes", patience=600) as took:
        return took


def _applied(cluster: Cluster, model: str, number: int) -> float:
    """A `kubectl apply` of each at once, then one that waits for the last."""
    manifests = [model.replace("NAME", f"peer-{next(_NUMBERS)}") for _ in range(number)]
    began = time.perf_counter()
    commands = [_begun(cluster, "apply", "-f", "-") for _ in manifests]
    for command, manifest in zip(commands, manifests, strict=True):
        assert command.stdin is not None
        command.stdin.write(manifest.encode())
        command.stdin.close()
    _ended(commands)
    _until_ready(cluster, number)
    took = time.perf_counter() - began
    cluster.kubectl("delete", "deployments,services", "-l", "bench=peer")
    cluster.kubectl("wait", "pods", "-l", "bench=peer", "--for=delete", "--timeout=300s")
    return took


def _until_ready(cluster: Cluster, number: int) -> None:
    """Of every Deployment its pod: the cluster's own word for it is that it is available."""
    cluster.kubectl("wait", "deployments", "-l", "bench=peer", "--for=condition=Available", "--timeout=600s")


def _begun(cluster: Cluster, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*cluster.command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _ended(commands: Sequence[subprocess.Popen[bytes]]) -> None:
    for command in commands:
        if command.wait(300) != 0:
            raise RuntimeError("kubectl apply failed")


def _model(cluster: Cluster, uid: str) -> str:
    """The manifests of an agent, whose name and uid are NAME, and whose owner is nobody."""
    made = cluster.found("deployments,services", f"sac/uid={uid}")
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [_bare(each) for each in made]})
    return text.replace(f"sac-{uid}", "NAME").replace(uid, "NAME")


def _bare(found: dict[str, Any]) -> dict[str, Any]:
    """An object as somebody would have written it."""
    labels = {**found["metadata"]["labels"], "sac/owner": "bench", "bench": "peer"}
    spec = {name: value for name, value in found["spec"].items() if name not in ("clusterIP", "clusterIPs")}
    if found["kind"] == "Service":
        spec = {"type": "ClusterIP", "clusterIP": "None", "selector": {"sac/uid": "NAME"}}
    else:
        selector = {"sac/uid": "NAME"}
        template = spec["template"]
        template = {**template, "metadata": {"labels": {**template["metadata"]["labels"], "bench": "peer"}}}
        template["metadata"]["labels"]["sac/owner"] = "bench"
        spec = {**spec, "selector": {"matchLabels": selector}, "template": template}
    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "metadata": {"name": found["metadata"]["name"], "labels": labels},
        "spec": spec,
    }
