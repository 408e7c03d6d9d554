"""The contract of stages as a pytest class: subclass it, say how yours is opened, run pytest.

pytest_plugins = ["sac_core.testing.pytest_plugin"]

class TestAcme(StageContract):
    def open_stage(self, context):
        return open_acme(AcmeSettings(), context)

    async def kept(self, stage, session):
        return await stage.read_all(session.metadata.uid)
"""

from __future__ import annotations

from sac_core.testing.promises.stage_keeping import Keeping
from sac_core.testing.promises.stage_pace import Pace
from sac_core.testing.promises.stage_place import Places


class StageContract(Places, Keeping, Pace):
    """All promises of stages. What may be overridden is in `promises.stages.StageBase`."""
