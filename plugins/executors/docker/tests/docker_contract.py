"""What the contract suite needs of a Docker engine; the engine's own tests subclass it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from docker_engine import docker
from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.models.body import Key
from sac_core.models.launch import Launch
from sac_core.testing.body_commands import BodyCommands, PosixCommands
from sac_core.testing.executor_suite import ExecutorContract
from sac_executor_docker.naming import read_name
from sac_executor_docker.opening import open_docker
from sac_executor_docker.settings import DockerSettings

LONG = ("test_a_cancelled_delete_is_simply_made_again", "test_a_cancelled_ensure_never_leaves_an_unlisted_body_behind")
"""Played in the sweep: eleven bodies each."""


class DockerContract(ExecutorContract):
    """Bodies of an image with a Python; they leave their beats in a folder of this machine."""

    timeout = 30.0
    honours = frozenset({"egress"})
    settings = DockerSettings()
    """Which engine."""
    image: str

    def docker(self, *arguments: str) -> str:
        """The `docker` command, to the engine of the test."""
        return docker(*arguments)

    @pytest.fixture(autouse=True)
    def _short(self, request: pytest.FixtureRequest) -> None:
        if request.function.__name__ in LONG and not os.environ.get("SAC_TEST_SWEEP"):
            pytest.skip("sweep: set SAC_TEST_SWEEP=1")

    @pytest.fixture(autouse=True)
    def _ready(self, context: PluginContext, body_image: str) -> Iterator[None]:
        self.image = body_image
        self.witness = context.folder / "outside"
        self.witness.mkdir()
        self.owners: set[str] = set()
        yield
        for owner in self.owners:
            self._remove_all(owner)

    def open_executor(self, context: PluginContext) -> AbstractAsyncContextManager[Executor]:
        self.owners.add(context.owner)
        private = context.folder / "private"
        private.mkdir(exist_ok=True)
        settings = self.settings.model_copy(update={"image": self.image})
        return open_docker(settings, replace(context, folder=private))

    def launch(self, command: tuple[str, ...] | None = None, *, generation: int = 1, **template: Any) -> Launch:
        template.setdefault("cwd", str(self.witness))
        return super().launch(command, generation=generation, image=self.image, **template)

    def commands(self, context: PluginContext) -> BodyCommands:
        return PosixCommands(self.witness / "beats")

    async def labels(self, executor: Executor, key: Key) -> dict[str, str]:
        """Those of the container, with the generation that its name tells."""
        about = json.loads(self.docker("inspect", self.container_of(key)))[0]
        generation, _ = read_name(about["Name"])
        labels: dict[str, str] = about["Config"]["Labels"]
        return labels if generation is None else {**labels, "sac/generation": str(generation)}

    async def exposed(self, executor: Executor, key: Key) -> str:
        name = self.container_of(key)
        return self.docker("inspect", name) + self.docker("top", name, "-eo", "pid,args") + self.docker("logs", name)

    async def stranger(self, context: PluginContext) -> Callable[[], Awaitable[bool]]:
        name = f"stranger-{uuid4().hex[:8]}"
        self.docker("run", "--detach", "--rm", "--name", name, "--label", "app=other", self.image, "sleep", "600")
        self._strangers.append(name)

        async def lives() -> bool:
            return self.docker("inspect", "--format", "{{.State.Running}}", name) == "true"

        return lives

    @pytest.fixture(autouse=True)
    def _end_strangers(self) -> Iterator[None]:
        self._strangers: list[str] = []
        yield
        for name in self._strangers:
            self.docker("rm", "--force", name)

    async def remains(self, executor: Executor, key: Key) -> list[str]:
        label = f"label=sac/uid={key.uid}"
        containers = self.docker("ps", "--all", "--filter", label, "--format", "{{.Names}}").split()
        return containers + self.docker("volume", "ls", "--filter", label, "--quiet").split()

    async def kill(self, executor: Executor, key: Key) -> None:
        self.docker("kill", self.container_of(key))

    async def slow_start(self, key: Key) -> None:
        """A registry that takes the call and never answers."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.listener = listener
        self.image = f"127.0.0.1:{listener.getsockname()[1]}/slow:1"

    def container_of(self, key: Key) -> str:
        """The container of a body."""
        return self.docker("ps", "--all", "--quiet", "--filter", f"label=sac/uid={key.uid}").split()[0]

    def _remove_all(self, owner: str) -> None:
        """Remove what an installation of a test has left."""
        label = f"label=sac/owner={owner}"
        for listing, removing in (
            (("ps", "--all"), ("rm", "--force")),
            (("volume", "ls"), ("volume", "rm")),
            (("network", "ls"), ("network", "rm")),
        ):
            found = self.docker(*listing, "--quiet", "--filter", label).split()
            if found:
                self.docker(*removing, *found)
