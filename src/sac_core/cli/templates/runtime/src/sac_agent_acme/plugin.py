"""What this distribution offers to SAC. It is imported at every start: keep it quick."""

from sac_core.hooks import hookimpl
from sac_core.hooks.records import RuntimePlugin

from sac_agent_acme.runtime import AcmeRuntime


@hookimpl
def sac_runtimes() -> list[RuntimePlugin]:
    return [RuntimePlugin(name="acme", summary="Acme agents", make=AcmeRuntime)]
