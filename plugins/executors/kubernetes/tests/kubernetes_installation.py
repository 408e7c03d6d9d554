"""SAC on the cluster of the tests, by what `sac deploy kustomize` writes, with a PostgreSQL of this machine.

Pods reach PostgreSQL at SAC_TEST_HOST_ADDRESS, else at the address of the cluster's first node, as which a cluster of
one node is this machine. The Service's name is found here as in the cluster.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import yaml

from kubernetes_cluster import IMAGE, kubectl
from sac_core.testing.postgres import running_cluster
from sac_executor_kubernetes.settings import MIB

LEASE = 5
OUTSIDE = "sac.example.com"


@dataclass(frozen=True, slots=True)
class Installation:
    """Servers in one namespace, whose agents are in another one."""

    namespace: str
    token: str

    @property
    def agents(self) -> str:
        """The namespace of agents."""
        return f"{self.namespace}-agents"

    @property
    def host(self) -> str:
        """The Service's name in the cluster."""
        return f"sac.{self.namespace}.svc"

    def servers(self) -> dict[str, str]:
        """Names of the servers' pods that are ready and do not end, and their addresses."""
        found = json.loads(kubectl("-n", self.namespace, "get", "pods", "-l", "app=sac", "-o", "json"))["items"]
        return {
            pod["metadata"]["name"]: pod["status"]["podIP"]
            for pod in found
            if "deletionTimestamp" not in pod["metadata"] and _is_ready(pod)
        }

    def found(self, resources: str) -> list[dict[str, Any]]:
        """What there is where agents are."""
        items: list[dict[str, Any]] = json.loads(
            kubectl("-n", self.agents, "get", resources, "-l", "app=sac-agent", "-o", "json")
        )["items"]
        return items


@contextmanager
def installed(folder: Path, image: str) -> Iterator[Installation]:
    """An installation that is ready, until the context is left."""
    installation = Installation(f"sac-test-{uuid4().hex[:8]}", secrets.token_hex(32))
    with running_cluster(address=_our_address()) as postgres:
        overlay = _written(folder, installation, image, postgres.far_database())
        try:
            kubectl("apply", "-k", str(overlay))
            try:
                _until_ready(installation)
            except RuntimeError as error:
                raise AssertionError(_state(installation)) from error
            with _named(installation):
                yield installation
        finally:
            spaces = (installation.namespace, installation.agents)
            kubectl("delete", "namespaces", *spaces, "--wait=false", "--ignore-not-found")


def _until_ready(installation: Installation) -> None:
    kubectl("-n", installation.namespace, "rollout", "status", "deployment/sac", "--timeout=180s", patience=200)


def _written(folder: Path, installation: Installation, image: str, database: str) -> Path:
    """The files of the command, and an overlay with what differs on a small, old cluster."""
    made = folder / "made"
    where = ("--namespace", installation.namespace, "--out", str(made))
    asked = [sys.executable, "-m", "sac_core", "deploy", "kustomize", "--image", image, *where]
    subprocess.run([*asked, "--origin", f"https://{OUTSIDE}"], check=True, timeout=60)
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    values = {"SAC_DATABASE": database, "SAC_KEYS": key, "SAC_TOKEN": installation.token}
    (made / "secrets.env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    overlay = folder / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(_overlay(installation)))
    return overlay


def _overlay(installation: Installation) -> dict[str, Any]:
    about = {
        "namespace": installation.agents,
        "serviceAccount": "sac-agent",
        "image": IMAGE,
        "grace": 3,
        "requestCpu": 0.01,
        "requestMemory": 16 * MIB,
        "requestDisk": MIB,
    }
    literals = [f"SAC_PLUGINS={json.dumps({'kubernetes': about})}", f"SAC_LEASE={LEASE}", "SAC_RESYNC=2"]
    modest = [{"op": "replace", "path": "/spec/template/spec/containers/0/resources/requests/cpu", "value": "50m"}]
    patches = [{"target": {"kind": "Deployment"}, "patch": json.dumps(modest)}]
    if int(json.loads(kubectl("version", "-o", "json"))["serverVersion"]["minor"].rstrip("+")) < 21:
        older = [{"op": "replace", "path": "/apiVersion", "value": "policy/v1beta1"}]
        patches.append({"target": {"kind": "PodDisruptionBudget"}, "patch": json.dumps(older)})
    settings = {"name": "sac-settings", "namespace": installation.namespace, "behavior": "merge", "literals": literals}
    return {"resources": ["../made"], "configMapGenerator": [settings], "patches": patches}


def _our_address() -> str:
    """Where pods find this machine."""
    path = "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}"
    return os.environ.get("SAC_TEST_HOST_ADDRESS") or kubectl("get", "nodes", "-o", path).split()[0]


@contextmanager
def _named(installation: Installation) -> Iterator[None]:
    """The Service's name is known in this process."""
    path = ("-o", "jsonpath={.spec.clusterIP}")
    address = kubectl("-n", installation.namespace, "get", "service", "sac", *path)
    ask = socket.getaddrinfo

    def answer(host: Any, *arguments: Any, **more: Any) -> Any:
        return ask(address if host in (installation.host, installation.host.encode()) else host, *arguments, **more)

    with patch("socket.getaddrinfo", answer):
        yield


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)


def _state(installation: Installation) -> str:
    """Why servers do not become ready, as far as the cluster knows."""
    where = ("-n", installation.namespace)
    parts = [kubectl(*where, "get", "pods,events"), kubectl(*where, "logs", "-l", "app=sac", "--tail=40")]
    return "\n".join(parts)
