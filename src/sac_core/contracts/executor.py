"""How bodies run. The promises are numbered in design section 5 and checked by `sac_core.testing`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator

from anyio.abc import ByteStream

from sac_core.contracts.process import Process
from sac_core.errors import UnsupportedError
from sac_core.models.body import Key, Observed, Probe
from sac_core.models.launch import Launch, Secrets
from sac_core.models.process import Command
from sac_core.models.recipe import Recipe


class Resync:
    """Yielded by `Executor.watch` when hints may have been missed: observe everything."""


RESYNC = Resync()


class Executor(ABC):
    """Runs bodies on one target. Stateless and level-triggered: every call carries the key, nobody waits inside.

    Safe to call at once for different keys. Raises only our own errors: `LaunchError` (retrying is useless),
    `UnavailableError`, `ConflictError`, `UnsupportedError`, `NotReadyError`, `LostError`.
    """

    @abstractmethod
    async def probe(self) -> Probe:
        """Is the target reachable, what can it do, what should an operator know?"""

    @abstractmethod
    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        """Bring the body to ``launch.hash`` and running; returns at once with what is there now.

        The same hash again changes nothing on a running body but its generation label. A body that exited, failed or
        was stopped is started again. A new hash replaces the body, with at most one alive at any moment: what must end
        first is ending when this returns, and a later call goes on. An older generation raises `ConflictError`.

        ``secrets.files`` (capability ``files``) are there before the body can run anything: readable by it alone, below
        the folder that `SAC_SECRETS_DIR` names in its processes, gone with the body. The same hash with other files
        delivers them, and takes away those no longer given, without a restart. ``secrets.options`` are for the executor
        itself: the values behind its options of type `SecretRef`.

        What cannot be done now and may be later raises `UnavailableError`, also for a body that an earlier call began
        and that came to nothing; it is asked for again. With a ``reason`` of its own (``Unschedulable``) the target is
        there and the time of the start runs; with none, nobody answered.
        """

    @abstractmethod
    async def observe(self, key: Key) -> Observed:
        """What is there now; phase ``absent`` when there is nothing of ours."""

    @abstractmethod
    def bodies(self) -> AsyncIterator[Observed]:
        """Every body with our owner label on this target, in any state."""

    @abstractmethod
    async def delete(self, key: Key, *, generation: int, grace: float, purge: bool) -> Observed:
        """End and remove the body; returns at once, absent is success. ``purge`` takes its volumes too."""

    async def open_holder(self, key: Key) -> ByteStream | None:
        """A stream to the body's holder, closed by the caller; None when this body has none.

        Raises `NotReadyError` when the body has not got that far, `LostError` when it is gone.
        """
        return None

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        """Run a command in a body without a holder; the same id again is the same process, never a second."""
        raise UnsupportedError("this executor runs processes through a holder only")

    async def stop(self, key: Key, *, generation: int, grace: float) -> Observed:
        """End the body and keep its volumes (capability ``stop``); `Observed.kept` says what was kept."""
        raise UnsupportedError("this executor cannot stop a body and keep it")

    async def watch(self) -> AsyncIterator[Key | Resync]:
        """Hints to observe (capability ``watch``); never relied on."""
        raise UnsupportedError("this executor gives no hints")
        yield RESYNC

    async def dial(self, key: Key, port: int) -> ByteStream:
        """A stream to a port that the body's launch declares (capability ``dial``), closed by the caller.

        What answers there is the body's own. Raises `NotFoundError` for a port that is not declared, `NotReadyError`
        (reason ``NothingListens``) when nothing of the body listens there, `LostError` when there is no body.
        """
        raise UnsupportedError("this executor reaches no ports")

    async def build_image(self, recipe: Recipe, *, base: str | None, tag: str) -> AsyncGenerator[str]:
        """Build an image from ``base`` (none: the executor's own), named ``tag`` (capability ``images``).

        Yields lines for people. Leaving the iteration ends the build, and an older image of that name stays. Raises
        `LaunchError` with what the builder said.
        """
        raise UnsupportedError("this executor runs no images", hint="name another one: --executor")
        yield ""
