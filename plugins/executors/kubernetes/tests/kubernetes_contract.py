"""What the contract suite needs of a cluster."""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import uuid4

import pytest

from kubernetes_cluster import IMAGE, PORT, TestCluster
from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.models.body import Key
from sac_core.models.launch import Launch
from sac_core.testing.body_commands import BodyCommands, PosixCommands
from sac_core.testing.executor_suite import ExecutorContract
from sac_core.testing.simulated_program import Beat
from sac_executor_kubernetes.opening import open_kubernetes

LONG = ("test_a_cancelled_delete_is_simply_made_again", "test_a_cancelled_ensure_never_leaves_an_unlisted_body_behind")
"""Played in the sweep: eleven bodies each."""


class WitnessCommands(PosixCommands):
    """Beats are sent to the witness; those of earlier tests are not seen."""

    def __init__(self, cluster: TestCluster) -> None:
        super().__init__(cluster.beats)
        self._cluster = cluster
        self._before = len(super().beats())

    def beats(self) -> Sequence[Beat]:
        return super().beats()[self._before :]

    def _beat(self, tag: str) -> str:
        return f'echo "{tag} $body" | nc -w 2 {self._cluster.witness} {PORT}'


class KubernetesContract(ExecutorContract):
    """Bodies of an image with a Python, in the namespace of the test."""

    timeout = 90.0
    """A node that is busy with other pods takes its time to end one."""

    @pytest.fixture(autouse=True)
    def _short(self, request: pytest.FixtureRequest) -> None:
        if request.function.__name__ in LONG and not os.environ.get("SAC_TEST_SWEEP"):
            pytest.skip("sweep: set SAC_TEST_SWEEP=1")

    @pytest.fixture(autouse=True)
    def _ready(self, cluster: TestCluster) -> Iterator[None]:
        self.cluster, self.image = cluster, IMAGE
        self.strangers: list[str] = []
        self.owners: set[str] = set()
        yield
        for owner in self.owners:
            selector = f"sac/owner={owner}"
            self.cluster.kubectl("delete", "deployments,pods,services,pvc", "-l", selector, "--wait=false")
        for name in self.strangers:
            self.cluster.kubectl("delete", "deployment", name, "--wait=false")

    def open_executor(self, context: PluginContext) -> AbstractAsyncContextManager[Executor]:
        self.owners.add(context.owner)
        return open_kubernetes(self.cluster.settings.model_copy(update={"image": self.image}), context)

    def launch(self, command: tuple[str, ...] | None = None, *, generation: int = 1, **template: Any) -> Launch:
        return super().launch(command, generation=generation, image=self.image, **template)

    def commands(self, context: PluginContext) -> BodyCommands:
        return WitnessCommands(self.cluster)

    async def labels(self, executor: Executor, key: Key) -> dict[str, str]:
        labels: dict[str, str] = self._found("deployments", key)[0]["metadata"]["labels"]
        return labels

    async def exposed(self, executor: Executor, key: Key) -> str:
        pod = self._found("pods", key)[0]["metadata"]["name"]
        everything = "deployments,replicasets,pods,services,configmaps,secrets,events"
        told = self.cluster.kubectl("get", everything, "-o", "yaml") + self.cluster.kubectl("logs", pod)
        shown = 'for each in /proc/[0-9]*/cmdline; do tr "\\0" " " < $each; echo; done'
        return told + self.cluster.kubectl("exec", pod, "--", "sh", "-c", shown)

    async def stranger(self, context: PluginContext) -> Callable[[], Awaitable[bool]]:
        name = f"stranger-{uuid4().hex[:8]}"
        self.cluster.kubectl("create", "deployment", name, "--image", self.image)
        self.strangers.append(name)
        uid = self._uid(name)

        async def lives() -> bool:
            return self._uid(name) == uid

        return lives

    async def remains(self, executor: Executor, key: Key) -> list[str]:
        kinds = "deployments,replicasets,pods,services,secrets,pvc"
        return [f"{each['kind']} {each['metadata']['name']}" for each in self._found(kinds, key)]

    async def kill(self, executor: Executor, key: Key) -> None:
        """As somebody does who wants another pod."""
        for pod in self._found("pods", key):
            self.cluster.kubectl("delete", "pod", pod["metadata"]["name"], "--grace-period=1", "--wait=false")

    async def slow_start(self, key: Key) -> None:
        """A registry that takes the call and never answers."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.image = f"127.0.0.1:{self.listener.getsockname()[1]}/slow:1"

    def _found(self, resources: str, key: Key) -> list[dict[str, Any]]:
        return self.cluster.found(resources, f"sac/uid={key.uid}")

    def _uid(self, name: str) -> str:
        return self.cluster.kubectl("get", "deployment", name, "-o", "jsonpath={.metadata.uid}")
