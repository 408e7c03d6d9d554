"""What this distribution offers to SAC. It is imported at every start: keep it quick."""

from sac_core.hooks import hookimpl
from sac_core.hooks.records import ExecutorPlugin

from sac_executor_acme.executor import open_acme
from sac_executor_acme.settings import AcmeOptions, AcmeSettings


@hookimpl
def sac_executors() -> list[ExecutorPlugin]:
    plugin = ExecutorPlugin(
        name="acme",
        summary="Bodies on Acme",
        open=open_acme,
        settings=AcmeSettings,
        options=AcmeOptions,
        isolated=False,  # True once a body cannot reach what is not its own
    )
    return [plugin]
