"""The runtime ``acme``: write each method, run pytest, and see which promises are kept."""

from sac_core.contracts.runtime import Runtime
from sac_core.models.agent import Agent
from sac_core.models.launch import Launch
from sac_core.models.process import Command


class AcmeRuntime(Runtime):
    """Pure and quick: no input or output, the same answer for the same agent."""

    def launch(self, agent: Agent) -> Launch | None:
        """The body that an agent needs; pass on or refuse every field of its spec, and drop none."""
        raise NotImplementedError("launch")

    def terminal(self, agent: Agent) -> Command | None:
        """What a session runs when it names no command."""
        raise NotImplementedError("terminal")
