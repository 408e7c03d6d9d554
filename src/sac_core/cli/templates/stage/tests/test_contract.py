"""The promises of stages. What may be overridden is in `sac_core.testing.promises.stages.StageBase`."""

from contextlib import AbstractAsyncContextManager

from sac_core.contracts.context import PluginContext
from sac_core.contracts.stage import Stage
from sac_core.models.session import Session
from sac_core.testing.stage_suite import StageContract

from sac_stage_acme.settings import AcmeSettings
from sac_stage_acme.stage import open_acme

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestAcme(StageContract):
    def open_stage(self, context: PluginContext) -> AbstractAsyncContextManager[Stage]:
        return open_acme(AcmeSettings(), context)

    async def kept(self, stage: Stage, session: Session) -> bytes | None:
        """The output that is kept of a session; leave it out if none is."""
        raise NotImplementedError("kept")
