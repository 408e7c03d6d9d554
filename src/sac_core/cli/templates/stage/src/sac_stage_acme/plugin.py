"""What this distribution offers to SAC. It is imported at every start: keep it quick."""

from sac_core.hooks import hookimpl
from sac_core.hooks.records import StagePlugin

from sac_stage_acme.settings import AcmeSettings
from sac_stage_acme.stage import open_acme


@hookimpl
def sac_session_stages() -> list[StagePlugin]:
    return [StagePlugin(name="acme", summary="Shows sessions to Acme", open=open_acme, settings=AcmeSettings)]
