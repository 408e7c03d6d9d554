"""What the process executor offers to SAC."""

from __future__ import annotations

from sac_core.builtin.process.executor import open_process_executor
from sac_core.builtin.process.settings import ProcessSettings
from sac_core.hooks.records import ExecutorPlugin

PROCESS = ExecutorPlugin(
    name="process",
    summary="Processes of this machine; needs nothing, isolates nothing (not a sandbox)",
    open=open_process_executor,
    settings=ProcessSettings,
    isolated=False,
)
