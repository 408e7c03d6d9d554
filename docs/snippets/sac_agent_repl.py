"""A runtime whose terminal is a Python prompt."""

from sac_core.contracts.runtime import Runtime
from sac_core.errors import UnsupportedError
from sac_core.hooks import hookimpl
from sac_core.hooks.records import RuntimePlugin
from sac_core.models.agent import Agent
from sac_core.models.launch import Binding, Launch
from sac_core.models.process import Command


class ReplRuntime(Runtime):
    """A body that waits; its sessions are Python prompts."""

    def launch(self, agent: Agent) -> Launch:
        spec = agent.spec
        if spec.command is not None:
            raise UnsupportedError("the runtime repl runs no command", field="spec.command", hint="leave it out")
        binding = Binding(env=spec.env)
        return Launch(generation=agent.metadata.generation, template=spec.template(), binding=binding)

    def terminal(self, agent: Agent) -> Command:
        return Command(argv=("python3", "-q"))


@hookimpl
def sac_runtimes() -> list[RuntimePlugin]:
    return [RuntimePlugin(name="repl", summary="A Python prompt.", make=ReplRuntime)]
