"""The executor ``acme``: write each method, run pytest, and see which promises are kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.abc import ByteStream
from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.models.body import Key, Observed, Probe
from sac_core.models.launch import Launch, Secrets

from sac_executor_acme.settings import AcmeSettings


class AcmeExecutor(Executor):
    """Keeps nothing in memory that a restart may not lose; nobody waits inside it."""

    def __init__(self, settings: AcmeSettings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context

    async def probe(self) -> Probe:
        """Is Acme reachable, what can it do, what should an operator know?"""
        raise NotImplementedError("probe")

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        """Make the body, or bring it to ``launch.hash``; return at once with what is there now.

        An older generation is a ConflictError; what cannot be honoured is an UnsupportedError that names the field.
        """
        raise NotImplementedError("ensure")

    async def observe(self, key: Key) -> Observed:
        """What is there now; phase ``absent`` when there is nothing of ours."""
        raise NotImplementedError("observe")

    async def bodies(self) -> AsyncIterator[Observed]:
        """Every body with our owner label (``self._context.owner``), in any state."""
        raise NotImplementedError("bodies")
        yield

    async def delete(self, key: Key, *, generation: int, grace: float, purge: bool) -> Observed:
        """Begin to end and remove the body; absent is success."""
        raise NotImplementedError("delete")

    async def open_holder(self, key: Key) -> ByteStream | None:
        """A stream to the body's holder (``sac_core.held.program``), which brings terminals and commands.

        For bodies without a holder, write ``open_process`` instead and remove this.
        """
        raise NotImplementedError("open_holder")


@asynccontextmanager
async def open_acme(settings: AcmeSettings, context: PluginContext) -> AsyncIterator[Executor]:
    """Open it: connect to Acme here, and let go of everything when the context is left."""
    yield AcmeExecutor(settings, context)
