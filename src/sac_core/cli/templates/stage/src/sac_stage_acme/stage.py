"""The stage ``acme``: write what raises NotImplementedError, run pytest, and see which promises are kept."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sac_core.contracts.context import PluginContext
from sac_core.contracts.stage import Need, Seat, Stage, StageEvent
from sac_core.models.session import Session

from sac_stage_acme.settings import AcmeSettings


class AcmeSeat(Seat):
    """At one session. Set ``offset`` and ``ended`` from what is kept: SAC feeds what follows."""

    async def take(self, events: Sequence[StageEvent]) -> None:
        """Keep the events; return when they are kept, within three seconds."""
        raise NotImplementedError("take")

    async def aclose(self) -> None:
        """Leave the seat; again is harmless."""
        raise NotImplementedError("aclose")


class AcmeStage(Stage):
    """Serves all sessions of a server."""

    def __init__(self, settings: AcmeSettings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context

    def need(self, session: Session) -> Need:
        """Whether to see a session; for one session always the same answer."""
        raise NotImplementedError("need")

    async def begin(self, session: Session) -> Seat:
        """The seat at a session, where it was when SAC ended: `context.state` is small, durable and at hand."""
        raise NotImplementedError("begin")


@asynccontextmanager
async def open_acme(settings: AcmeSettings, context: PluginContext) -> AsyncIterator[Stage]:
    """Open it, and let go of everything when the context is left."""
    yield AcmeStage(settings, context)
