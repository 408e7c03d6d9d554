"""The runtime ``shell``: a plain body, with the user's shell as its terminal."""

from __future__ import annotations

from sac_core.contracts.runtime import Runtime
from sac_core.hooks.records import RuntimePlugin
from sac_core.models.agent import Agent
from sac_core.models.launch import Binding, Launch
from sac_core.models.process import Command


class ShellRuntime(Runtime):
    """A body that waits, or runs ``spec.command``; terminals are ``bash -l``, or ``sh`` where there is no bash."""

    def launch(self, agent: Agent) -> Launch:
        spec = agent.spec
        return Launch(
            generation=agent.metadata.generation,
            template=spec.template(),
            binding=Binding(env=spec.env),
        )

    def terminal(self, agent: Agent) -> Command:
        return Command(argv=("/bin/sh", "-c", "if command -v bash >/dev/null; then exec bash -l; else exec sh -l; fi"))


SHELL = RuntimePlugin(name="shell", summary="A shell, and whatever you start in it.", make=ShellRuntime)
