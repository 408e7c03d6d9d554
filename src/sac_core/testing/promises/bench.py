"""An opened executor on the workbench: bring bodies to a state, run processes in them, read their beats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio
import pytest

from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.contracts.process import Process
from sac_core.errors import NotReadyError, SacError
from sac_core.models.body import BodyPhase, Key, Observed
from sac_core.models.launch import NO_SECRETS, Launch, Secrets
from sac_core.models.process import Command
from sac_core.testing.body_commands import BodyCommands
from sac_core.testing.fixtures import eventually, new_key
from sac_core.testing.promises.links import Links
from sac_core.testing.promises.unwritten import demand_written
from sac_core.testing.simulated_program import Beat
from sac_core.testing.simulated_target import MAIN

if TYPE_CHECKING:
    from sac_core.testing.promises.base import ContractBase


@contextmanager
def refused_naming(culprit: str) -> Iterator[None]:
    """A refusal inside is fine if it is ours and names the culprit; so is none."""
    try:
        yield
    except SacError as error:
        if culprit not in str(error):
            raise AssertionError(f"the refusal does not name {culprit!r}: {error}") from error


NEWEST = 1_000_000
"""A generation that nothing in a test is newer than."""


class Bench:
    """One test's executor. Leaving it deletes every body that the test named, then closes the executor."""

    executor: Executor

    def __init__(self, suite: ContractBase, context: PluginContext, commands: BodyCommands) -> None:
        self.suite, self.context, self.commands = suite, context, commands
        self._keys: list[Key] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for key in self._keys:
                await self.delete(key)
        finally:
            await self._stack.aclose()

    async def restart(self) -> None:
        """Close the executor and open another instance on the same target, as a restart of SAC does."""
        await self._stack.aclose()
        await self._open()

    def key(self, agent: str = "agent") -> Key:
        """A new key, cleaned up in the end."""
        key = new_key(agent)
        self._keys.append(key)
        return key

    async def eventually(self, condition: Any, describe: str) -> Any:
        """Poll until true, within the suite's patience."""
        return await eventually(condition, self.suite.timeout, pause=self.suite.pause, describe=describe)

    async def settle(
        self, key: Key, launch: Launch, secrets: Secrets = NO_SECRETS, phases: Iterable[BodyPhase] = ("running",)
    ) -> Observed:
        """Do as the core does until the body of this launch is in one of the phases.

        A body that has a holder gets its own command through it, as a process `MAIN`.
        """
        wanted = tuple(phases)

        async def step() -> Observed | None:
            seen = await self.executor.observe(key)
            if (seen.hash, seen.generation) != (launch.hash, launch.generation):
                await self.executor.ensure(key, launch, secrets)
                return None
            return seen if seen.phase in wanted else None

        found = await self.eventually(step, f"phase {' or '.join(wanted)} of {key.agent}")
        assert isinstance(found, Observed)
        if found.holder and launch.template.command:
            await self.open(key, MAIN, launch.template.command, stdin=False)
        return found

    async def ended(self, key: Key, launch: Launch) -> Observed:
        """Until the command of the body has ended, and with it the body, unless a holder keeps that."""
        held = "holder" in (await self.executor.probe()).capabilities
        seen = await self.settle(key, launch, phases=("running",) if held else ("exited", "failed"))
        if held and launch.template.command:
            await (await self.open(key, MAIN, launch.template.command, stdin=False)).wait()
        return seen

    async def phase(self, key: Key, *phases: BodyPhase) -> Observed:
        """Wait until the body is seen in one of the phases; touches nothing."""

        async def look() -> Observed | None:
            seen = await self.executor.observe(key)
            return seen if seen.phase in phases else None

        found = await self.eventually(look, f"phase {' or '.join(phases)} of {key.agent}")
        assert isinstance(found, Observed)
        return found

    async def delete(self, key: Key, *, grace: float = 1.0, purge: bool = True) -> None:
        """Delete as the reconciler does: again until it is absent."""

        async def step() -> bool:
            seen = await self.executor.delete(key, generation=NEWEST, grace=grace, purge=purge)
            return seen.phase == "absent"

        await self.links.close(key)
        await self.eventually(step, f"the end of {key.agent}")

    async def listed(self) -> dict[Key, Observed]:
        """What `bodies` tells, by key; a key twice is a failure."""
        found: dict[Key, Observed] = {}
        async for seen in self.executor.bodies():
            assert seen.key not in found, f"bodies() lists {seen.key} twice"
            found[seen.key] = seen
        return found

    async def body(self, command: tuple[str, ...] | None = None) -> Key:
        """A running body."""
        key = self.key()
        await self.settle(key, self.suite.launch(command))
        return key

    async def open(self, key: Key, process_id: str, argv: tuple[str, ...], **command: Any) -> Process:
        """A process, through the holder or without; waits until the body is ready for one."""

        async def attempt() -> Process | None:
            try:
                return await self.links.open_process(key, process_id, Command(argv=argv, **command))
            except NotReadyError:
                return None

        with anyio.fail_after(self.suite.timeout):
            process = await self.eventually(attempt, f"readiness of {key.agent}")
        assert isinstance(process, Process)
        return process

    def beats(self, tag: str) -> list[Beat]:
        """The beats with this tag so far."""
        return [beat for beat in self.commands.beats() if beat.tag == tag]

    async def beating(self, tag: str, more: int = 3) -> list[Beat]:
        """Wait for so many more beats; all of the tag."""
        enough = len(self.beats(tag)) + more
        await self.eventually(lambda: len(self.beats(tag)) >= enough, f"{more} more beats of {tag}")
        return self.beats(tag)

    async def silent(self, prefix: str) -> None:
        """Nothing whose tag begins so beats any more: 25 pauses, half a second for real bodies, without a new beat."""
        before = [beat for beat in self.commands.beats() if beat.tag.startswith(prefix)]
        for _ in range(25):
            await self.suite.pause()
        after = [beat for beat in self.commands.beats() if beat.tag.startswith(prefix)]
        assert after == before, f"bodies that are said to be gone still beat: {sorted(set(after[len(before) :]))}"

    async def marked(self, tag: str) -> None:
        """Wait until a command that leaves one beat has left it."""
        await self.eventually(lambda: self.beats(tag), f"the beat of {tag}")

    async def killed(self, key: Key) -> Observed:
        """A running body that ended without being asked to."""
        await self.suite.kill(self.executor, key)
        return await self.phase(key, "exited", "failed")

    async def gone(self, key: Key) -> None:
        """Delete it; the backend keeps nothing of it."""
        await self.delete(key, grace=0.2)
        assert key not in await self.listed(), "bodies() lists what was deleted"

        async def nothing() -> bool:
            return not await self.suite.remains(self.executor, key)

        try:
            await self.eventually(nothing, "nothing left of a deleted body")
        except AssertionError:
            left = await self.suite.remains(self.executor, key)
            raise AssertionError(f"a deleted body left {left}") from None

    async def need(self, capability: str) -> None:
        """Skip the test, naming the capability, where the executor does not claim it."""
        if capability not in (await self.executor.probe()).capabilities:
            pytest.skip(f"capability: {capability}")

    async def _open(self) -> None:
        async with AsyncExitStack() as stack:
            self.executor = await stack.enter_async_context(self.suite.open_executor(self.context))
            demand_written((self.executor, Executor))
            self.links = await stack.enter_async_context(Links(self.executor))
            self._stack = stack.pop_all()
