"""The cluster that is measured: `kubectl` for it, a namespace of the benchmark's own, and SAC with its agents there."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.bodies import Server, running_server
from benchmarks.figures import Missing

_IMAGE = "python:3.13-slim"
_PATIENCE = 600
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that answers. ``image`` is one with a Python, which its nodes have or pull."""

    kubeconfig: Path
    namespace: str
    image: str

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """What `kubectl` says, in the namespace; raises `RuntimeError` with its complaint."""
        command = [*self.command, *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=_PATIENCE, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"kubectl {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    @property
    def command(self) -> list[str]:
        """`kubectl`, for the namespace."""
        return ["kubectl", "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace]

    def found(self, resources: str, selector: str) -> list[dict[str, Any]]:
        """Objects that a selector of labels fits."""
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", resources, "-l", selector, "-o", "json"))["items"]
        return items

    def address(self) -> tuple[str, ssl.SSLContext]:
        """Where its API is, and what a client needs that is nobody's but the administrator."""
        config = json.loads(self.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
        about, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        if "client-key-data" not in user:
            raise Missing("the kubeconfig has no client certificate, which the bare client signs in with")
        context = ssl.create_default_context(cadata=b64decode(about["certificate-authority-data"]).decode())
        with tempfile.NamedTemporaryFile() as file:  # 0600
            file.write(b64decode(user["client-certificate-data"]) + b64decode(user["client-key-data"]))
            file.flush()
            context.load_cert_chain(file.name)
        return about["server"], context


@contextmanager
def open_cluster() -> Iterator[tuple[Cluster, Server]]:
    """The cluster of SAC_BENCH_KUBECONFIG and SAC with agents in it; raises `Missing` when there is none."""
    _demand()
    namespace = f"sac-bench-{uuid4().hex[:8]}"
    image = os.environ.get("SAC_BENCH_KUBERNETES_IMAGE", _IMAGE)
    cluster = Cluster(Path(os.environ["SAC_BENCH_KUBECONFIG"]), namespace, image)
    try:
        cluster.kubectl("create", "namespace", namespace)
    except RuntimeError as error:
        raise Missing(f"no cluster answers: {error}") from None
    about = {
        "kubeconfig": str(cluster.kubeconfig),
        "namespace": namespace,
        "image": image,
        "grace": 3,
        "request_cpu": 0.01,
        "request_memory": 16 * MIB,
        "request_disk": MIB,
    }
    try:
        with running_server(SAC_PLUGINS=json.dumps({"kubernetes": about})) as server:
            yield cluster, server
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def _demand() -> None:
    if not entry_points(group="sac", name="kubernetes"):
        raise Missing("sac-executor-kubernetes is not installed: make bench installs it")
    if shutil.which("kubectl") is None:
        raise Missing("there is no `kubectl` command")
    if not os.environ.get("SAC_BENCH_KUBECONFIG"):
        raise Missing("no cluster is named: set SAC_BENCH_KUBECONFIG to an administrator's kubeconfig")
