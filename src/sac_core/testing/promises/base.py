"""What an executor's author overrides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, ClassVar

import anyio
import pytest

from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.models.body import Key
from sac_core.models.launch import Launch, Secrets, Template
from sac_core.testing.body_commands import BodyCommands, PosixCommands
from sac_core.testing.fixtures import new_owner, temporary_context, unused_port
from sac_core.testing.promises.bench import Bench
from sac_core.testing.promises.marks import Level


class ContractBase:
    """Override `open_executor`; the rest has defaults that suit an executor of local POSIX processes."""

    pytestmark = pytest.mark.anyio

    level: ClassVar[Level] = "full"
    """What is claimed: ``core`` skips the tests of level ``full``."""
    timeout: ClassVar[float] = 20.0
    """Seconds that anything asynchronous may take to settle."""
    honours: ClassVar[frozenset[str]] = frozenset()
    """Of ``egress`` and ``gpus``, what this executor can do; the rest must be refused."""
    writable: ClassVar[str] = "."
    """A folder of a body in which its processes may write; a relative one begins where they start."""

    def open_executor(self, context: PluginContext) -> AbstractAsyncContextManager[Executor]:
        """An executor on the target of this test; called again it is another instance on the same target."""
        raise NotImplementedError("override open_executor(context)")

    def launch(self, command: tuple[str, ...] | None = None, *, generation: int = 1, **template: Any) -> Launch:
        """A Launch that works here; add an image or mounts where bodies need them."""
        return Launch(generation=generation, template=Template(command=command, **template))

    def secrets(self, value: str) -> Secrets:
        """Secrets of every kind that bodies take here, each with this value."""
        return Secrets(env={"SAC_TEST_SECRET": value}, files={"token": value.encode()}, options={"token": value})

    def commands(self, context: PluginContext) -> BodyCommands:
        """The programs of bodies, and the place where they leave their beats."""
        return PosixCommands(context.folder / "beats")

    def other_owner(self, context: PluginContext) -> PluginContext:
        """The context of another installation of SAC on the same target."""
        return replace(context, owner=new_owner())

    def port(self) -> int:
        """A port for a body to listen on; the default is free on this machine, whose ports bodies may share."""
        return unused_port()

    async def pause(self) -> None:
        """Between two looks at something that settles; simulated worlds move their clock here."""
        await anyio.sleep(0.02)

    async def labels(self, executor: Executor, key: Key) -> dict[str, str]:
        """The labels of the body as the backend has them."""
        pytest.skip("capability: labels (override ContractBase.labels)")

    async def exposed(self, executor: Executor, key: Key) -> str:
        """All that an onlooker of the backend sees of a body: labels, arguments, descriptions, files of records."""
        return ""

    async def stranger(self, context: PluginContext) -> Callable[[], Awaitable[bool]]:
        """Make something in the backend without our owner label; what is returned asks if it lives."""
        pytest.skip("capability: stranger (override ContractBase.stranger)")

    async def remains(self, executor: Executor, key: Key) -> list[str]:
        """What is left in the backend of a body that was deleted and purged; names for the failure's message."""
        return []

    async def kill(self, executor: Executor, key: Key) -> None:
        """End a running body from outside, as a crash or an operator of the target does."""
        pytest.skip("capability: kill (override ContractBase.kill)")

    async def slow_start(self, key: Key) -> None:
        """Make the next start of this key's body take longer than the suite's patience."""
        pytest.skip("capability: slow_start (override ContractBase.slow_start)")

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture(autouse=True)
    def _claimed_level(self, request: pytest.FixtureRequest) -> None:
        _, level = getattr(request.function, "sac_promise", (0, "core"))
        if level == "full" and self.level == "core":
            pytest.skip("level: full")

    @pytest.fixture
    def context(self) -> Iterator[PluginContext]:
        """What the executor is opened with."""
        with temporary_context() as context:
            yield context

    @pytest.fixture
    async def bench(self, context: PluginContext) -> AsyncIterator[Bench]:
        """An opened executor with what a test does to it; every body of the test is deleted in the end."""
        async with Bench(self, context, self.commands(context)) as bench:
            yield bench
