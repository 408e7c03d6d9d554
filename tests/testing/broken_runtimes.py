"""Runtimes that break one promise each, as plausible mistakes do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sac_core.builtin.shell import ShellRuntime
from sac_core.contracts.runtime import Runtime
from sac_core.errors import InvalidError
from sac_core.models.agent import Agent
from sac_core.models.launch import Binding, Launch
from sac_core.models.process import Command
from sac_core.models.workspace import Places
from sac_core.testing.runtime_suite import RuntimeContract


class GoodRuntime(ShellRuntime):
    """Keeps every promise; refuses an empty image by its name."""

    def launch(self, agent: Agent) -> Launch:
        if agent.spec.image == "":
            raise InvalidError("an image needs a name", field="spec.image", hint="leave it out, or name one")
        return super().launch(agent)

    def _with(self, agent: Agent, **template: Any) -> Launch:
        launch = super().launch(agent)
        return launch.model_copy(update={"template": launch.template.model_copy(update=template)})


class TellsTime(GoodRuntime):
    """Puts the time of day into the launch."""

    def launch(self, agent: Agent) -> Launch:
        return self._with(agent, restarted_at=str(time.time_ns()))


class ChangesAgent(GoodRuntime):
    """Adds to the agent's own environment."""

    def launch(self, agent: Agent) -> Launch:
        agent.spec.env["ACME"] = "1"
        return super().launch(agent)


class ReadsFile(GoodRuntime):
    """Looks at a file of the server."""

    def launch(self, agent: Agent) -> Launch:
        Path(__file__).read_bytes()
        return super().launch(agent)


class Slow(GoodRuntime):
    """Takes its time."""

    def terminal(self, agent: Agent) -> Command:
        end = time.perf_counter() + 0.06
        while time.perf_counter() < end:
            pass
        return super().terminal(agent)


class GivesWords(GoodRuntime):
    """Gives a command as a list of words."""

    def terminal(self, agent: Agent) -> Command:
        return ["sh"]  # type: ignore[return-value]


class GivesOnePlace(GoodRuntime):
    """Says where instructions go, as a word."""

    def places(self, agent: Agent) -> Places:
        return "ACME.md"  # type: ignore[return-value]


class HashesGeneration(GoodRuntime):
    """Puts the generation where a change replaces the body."""

    def launch(self, agent: Agent) -> Launch:
        return self._with(agent, options={"generation": agent.metadata.generation, **agent.spec.options})


class ForgetsRestart(GoodRuntime):
    """Leaves out the wish to restart."""

    def launch(self, agent: Agent) -> Launch:
        return self._with(agent, restarted_at=None)


class DropsPorts(GoodRuntime):
    """Knows nothing of ports, and says nothing of them."""

    def launch(self, agent: Agent) -> Launch:
        return self._with(agent, ports=())


class HashesEnvironment(GoodRuntime):
    """Sets variables in the command line."""

    def launch(self, agent: Agent) -> Launch:
        words = [f"{name}={value}" for name, value in agent.spec.env.items()]
        return self._with(agent, command=("env", *words, *(agent.spec.command or ("sh",))))


class BindsNothing(GoodRuntime):
    """Forgets the environment, but for a word of it."""

    def launch(self, agent: Agent) -> Launch:
        launch = super().launch(agent)
        return launch.model_copy(update={"binding": Binding(labels=agent.spec.env)})


class NamesAnotherField(GoodRuntime):
    """Refuses in the right words, at the wrong place."""

    def launch(self, agent: Agent) -> Launch:
        if agent.spec.image == "":
            raise InvalidError("an image needs a name", field="spec.runtime")
        return super().launch(agent)


class BrokenContract(RuntimeContract):
    """The suite on one of them: subclasses say which."""

    broken: type[GoodRuntime]

    def make_runtime(self) -> Runtime:
        return self.broken()

    def bad(self) -> list[tuple[dict[str, Any], str]]:
        return [({"image": ""}, "spec.image")]
