"""A real cluster for tests: a namespace of its own, where SAC has the rights of `sac-kubernetes setup` and no others.

SAC_TEST_KUBECONFIG names an administrator's kubeconfig; or SAC_TEST_CLUSTER is a command that brings a cluster up, or
finds it up, and prints the name last. Without either the tests are skipped, or fail when `kubernetes` is in
SAC_TEST_REQUIRE. Bodies leave their beats at a pod that listens, whose log is followed into a file.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sac_executor_kubernetes.administration import Account, setup
from sac_executor_kubernetes.documents import written
from sac_executor_kubernetes.settings import MIB, KubernetesSettings

IMAGE = os.environ.get("SAC_TEST_KUBERNETES_IMAGE", "sac-test/python:3.11")
RIGHTS = ("Namespace", "ServiceAccount", "Role", "RoleBinding")
"""Kinds of what an administrator makes, without quotas and policies: tests ask for too much, and call each other."""
PORT = 9000
_WITNESS = f"""
import socketserver
class Line(socketserver.StreamRequestHandler):
    def handle(self):
        print(self.rfile.readline().decode(), end="", flush=True)
class Server(socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 100
Server(("", {PORT}), Line).serve_forever()
"""


@dataclass(frozen=True, slots=True)
class TestCluster:
    """A namespace of a cluster. ``kubeconfig`` is SAC's own, ``beats`` the file with what bodies left."""

    __test__ = False

    namespace: str
    kubeconfig: Path
    beats: Path
    witness: str

    @property
    def settings(self) -> KubernetesSettings:
        """With which SAC's executor is opened; many pods fit on a small node."""
        return KubernetesSettings(
            kubeconfig=self.kubeconfig,
            image=IMAGE,
            grace=3,
            request_cpu=0.01,
            request_memory=16 * MIB,
            request_disk=MIB,
        )

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run `kubectl` in the namespace, as the administrator."""
        return kubectl("--namespace", self.namespace, *arguments, stdin=stdin)

    def found(self, resources: str, selector: str) -> list[dict[str, Any]]:
        """Objects that a selector of labels fits."""
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", resources, "-l", selector, "-o", "json"))["items"]
        return items


def kubectl(*arguments: str, stdin: str = "", patience: float = 100) -> str:
    """Run `kubectl` as the administrator; raises with what it said. It has ``patience`` seconds."""
    command = ["kubectl", "--kubeconfig", os.environ["SAC_TEST_KUBECONFIG"], *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=patience, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCluster]:
    """The cluster, with a namespace for this run."""
    demand_cluster()
    namespace, folder = f"sac-test-{uuid4().hex[:8]}", tmp_path_factory.mktemp("cluster")
    try:
        made = setup(namespace, Account(namespace, "sac"), agents=1)
        kubectl("apply", "-f", "-", stdin=written([each for each in made if each["kind"] in RIGHTS]))
        kubeconfig = _kubeconfig_of(namespace, folder / "kubeconfig")
        with _witness(namespace, folder / "beats") as address:
            yield TestCluster(namespace, kubeconfig, folder / "beats", address)
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")


@pytest.fixture
def storage_class(cluster: TestCluster) -> Iterator[str]:
    """Of a volume that any user may write in: the storage of test clusters often leaves volumes to root."""
    name = f"{cluster.namespace}-volume"
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "64Mi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": name,
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": f"/mnt/{name}", "type": "DirectoryOrCreate"},
        },
    }
    _on_node(name, ["chmod", "0777", f"/node/{name}"], make=True)
    kubectl("create", "-f", "-", stdin=json.dumps(volume))
    yield name
    kubectl("delete", "persistentvolume", name, "--wait=false")
    _on_node(name, ["rm", "-r", f"/node/{name}"])


def _on_node(name: str, command: list[str], *, make: bool = False) -> None:
    """Run a command as root, with the node's /mnt at /node."""
    words = " ".join(command)
    container = {
        "name": "root",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", f"mkdir -p /node/{name} && {words}" if make else words],
        "volumeMounts": [{"name": "node", "mountPath": "/node"}],
    }
    spec = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "node", "hostPath": {"path": "/mnt"}}],
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    kubectl("create", "-f", "-", stdin=json.dumps(pod))
    try:
        _until_succeeded(name)
    finally:
        kubectl("delete", "pod", name, "--grace-period=1")


def _until_succeeded(pod: str) -> None:
    deadline = time.monotonic() + 60
    while kubectl("get", "pod", pod, "-o", "jsonpath={.status.phase}") != "Succeeded":
        assert time.monotonic() < deadline, kubectl("describe", "pod", pod)
        time.sleep(0.2)


def demand_cluster() -> None:
    """Skip, or fail where one is required, unless a cluster answers."""
    message = "kubernetes: SAC_TEST_KUBECONFIG is not set"
    if os.environ.get("SAC_TEST_KUBECONFIG") or os.environ.get("SAC_TEST_CLUSTER"):
        try:
            _bring_up()
            kubectl("get", "--raw", "/livez")
            return
        except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
            message = f"kubernetes: no cluster answers: {error}"
    if "kubernetes" in os.environ.get("SAC_TEST_REQUIRE", "").split(","):
        pytest.fail(message)
    pytest.skip(message)


def _bring_up() -> None:
    """Have a cluster, unless one is there; the command may be run by several workers at once."""
    command = os.environ.get("SAC_TEST_CLUSTER", "")
    if command and not os.environ.get("SAC_TEST_KUBECONFIG"):
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=280, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stderr[-500:]}")
        os.environ["SAC_TEST_KUBECONFIG"] = done.stdout.split()[-1]


def _kubeconfig_of(namespace: str, path: Path) -> Path:
    """A kubeconfig for the service account of SAC."""
    place = f"/api/v1/namespaces/{namespace}/serviceaccounts/sac/token"
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
    token = json.loads(kubectl("create", "--raw", place, "-f", "-", stdin=json.dumps(wanted)))["status"]["token"]
    admin = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    config = {
        "clusters": [{"name": "test", "cluster": admin["clusters"][0]["cluster"]}],
        "users": [{"name": "sac", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "sac", "namespace": namespace}}],
        "current-context": "test",
    }
    path.write_text(json.dumps(config))
    return path


@contextmanager
def _witness(namespace: str, beats: Path) -> Iterator[str]:
    """The address of a pod whose log, in ``beats``, has a line for each that it is sent."""
    kubectl("--namespace", namespace, "apply", "-f", "-", stdin=json.dumps(_witness_pod()))
    kubectl("--namespace", namespace, "wait", "--for=condition=Ready", "pod/witness", "--timeout=90s")
    address = kubectl("--namespace", namespace, "get", "pod", "witness", "-o", "jsonpath={.status.podIP}")
    follow = ["kubectl", "--kubeconfig", os.environ["SAC_TEST_KUBECONFIG"], "--namespace", namespace]
    with beats.open("wb") as file, subprocess.Popen([*follow, "logs", "-f", "witness"], stdout=file) as following:
        try:
            yield address
        finally:
            following.terminate()


def _witness_pod() -> dict[str, Any]:
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "witness",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-u", "-c", _WITNESS],
        "securityContext": security,
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    }
    whole = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"terminationGracePeriodSeconds": 1, "securityContext": whole, "containers": [container]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "witness", "labels": {"app": "witness"}},
        "spec": spec,
    }
