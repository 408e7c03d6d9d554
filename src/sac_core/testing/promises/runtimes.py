"""The promises of runtimes: pure, quick, honest about every field of a spec."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from sac_core.contracts.runtime import Runtime
from sac_core.errors import InvalidError, SacError, UnsupportedError
from sac_core.models.agent import Agent, AgentSpec
from sac_core.models.envelope import Metadata
from sac_core.models.launch import Egress, Launch, Port, Resources
from sac_core.models.process import Command
from sac_core.models.workspace import Places, Workspace
from sac_core.testing.audit import input_and_output
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.unwritten import demand_written

MARK = "sac-test-mark"
WISHES: dict[str, Any] = {
    "image": f"registry.example/{MARK}:1",
    "command": ("run", MARK),
    "env": {"SAC_TEST": MARK},
    "workspace": Workspace(folder=f"/{MARK}"),
    "resources": Resources(cpu=1.625),
    "ports": (Port(name=MARK, port=8123),),
    "egress": Egress(mode="allow", hosts=(f"{MARK}.example",)),
    "profile": "strict",
    "options": {MARK: 1},
}
"""A value of each field of a spec that a body is made of, with something by which it is found again."""
FOUND_BY = {"resources": "1.625", "profile": "strict"}


class RuntimeContract:
    """Override `make_runtime`; `spec` and `bad` where a plain spec is not enough."""

    quick: ClassVar[float] = 0.05
    """Seconds that an answer may take."""

    def make_runtime(self) -> Runtime:
        """The runtime."""
        raise NotImplementedError("override make_runtime()")

    def spec(self, **fields: Any) -> AgentSpec:
        """A spec that this runtime accepts, with these fields."""
        return AgentSpec(runtime="test", **fields)

    def bad(self) -> Sequence[tuple[Mapping[str, Any], str]]:
        """Fields of a spec that this runtime refuses, each with the name of the field that the error must give."""
        return ()

    @pytest.fixture
    def runtime(self) -> Runtime:
        """The runtime of this test."""
        runtime = self.make_runtime()
        demand_written((runtime, Runtime))
        return runtime

    @promise("purity")
    def test_the_same_agent_gets_the_same_answer(self, runtime: Runtime) -> None:
        agent = self._agent()
        first = runtime.launch(agent), runtime.terminal(agent)
        time.sleep(0.002)
        assert (runtime.launch(agent), runtime.terminal(agent)) == first, "a second answer differs from the first"
        other = self.make_runtime()
        assert (other.launch(agent), other.terminal(agent)) == first, "another instance gives another answer"

    @promise("purity")
    def test_the_agent_is_left_as_it_is(self, runtime: Runtime) -> None:
        agent = self._agent(env={"SAC_TEST": MARK})
        before = agent.model_dump_json()
        runtime.launch(agent)
        runtime.terminal(agent)
        assert agent.model_dump_json() == before, "the runtime changed the agent that it was given"

    @promise("purity")
    def test_it_does_no_input_or_output(self, runtime: Runtime) -> None:
        agent = self._agent()
        runtime.launch(agent), runtime.terminal(agent)  # what is imported at the first call is no sin
        with input_and_output() as seen:
            runtime.launch(agent)
            runtime.terminal(agent)
        assert not seen, f"the runtime does input or output: {seen[:5]}"

    @promise("purity")
    def test_it_is_quick(self, runtime: Runtime) -> None:
        agent = self._agent()
        taken = []
        for _ in range(5):
            before = time.perf_counter()
            runtime.launch(agent)
            runtime.terminal(agent)
            taken.append(time.perf_counter() - before)
        assert min(taken) < self.quick, f"an answer takes {min(taken) * 1000:.0f} ms every time"

    @promise("answers")
    def test_answers_are_of_the_contract(self, runtime: Runtime) -> None:
        launch, terminal = runtime.launch(self._agent()), runtime.terminal(self._agent())
        assert launch is None or isinstance(launch, Launch), f"launch() gave a {type(launch).__name__}"
        assert terminal is None or isinstance(terminal, Command), f"terminal() gave a {type(terminal).__name__}"

    @promise("answers")
    def test_places_are_of_the_contract(self, runtime: Runtime) -> None:
        places = runtime.places(self._agent())
        assert isinstance(places, Places), f"places() gave a {type(places).__name__}"

    @promise("generations")
    def test_a_launch_carries_the_generation_and_no_other_hash_for_it(self, runtime: Runtime) -> None:
        third, fourth = (self._launch(runtime, self._agent(generation=number)) for number in (3, 4))
        assert (third.generation, fourth.generation) == (3, 4), "a launch does not carry its agent's generation"
        assert third.hash == fourth.hash, "the same spec has another hash in the next generation: bodies are replaced"

    @promise("generations")
    def test_restarting_changes_the_hash(self, runtime: Runtime) -> None:
        first = self._launch(runtime, self._agent())
        again = self._launch(runtime, self._agent(restarted_at=datetime(2030, 1, 1, tzinfo=UTC)))
        assert first.hash != again.hash, "spec.restartedAt is not in the template: sac restart would do nothing"

    @promise("honesty")
    @pytest.mark.parametrize("field", list(WISHES))
    def test_no_field_of_a_spec_is_dropped(self, runtime: Runtime, field: str) -> None:
        refused: SacError | None = None
        try:
            told = self._launch(runtime, self._agent(**{field: WISHES[field]})).model_dump_json()
        except (InvalidError, UnsupportedError) as error:
            refused = error
        if refused is not None:
            named = refused.field or "none"
            assert named.startswith(f"spec.{field}"), f"spec.{field} is refused, and the error names {named}"
        else:
            assert FOUND_BY.get(field, MARK) in told, f"spec.{field} is neither in the launch nor refused"

    @promise("honesty")
    def test_the_environment_is_bound_and_not_hashed(self, runtime: Runtime) -> None:
        launch = self._launch(runtime, self._agent(env={"SAC_TEST": MARK}))
        assert launch.binding.env.get("SAC_TEST") == MARK, "spec.env is not in the binding"
        assert MARK not in launch.template.model_dump_json(), "spec.env is in the template, which backends show"

    @promise("honesty")
    def test_what_is_wrong_is_refused_by_its_field(self, runtime: Runtime) -> None:
        if not self.bad():
            pytest.skip("capability: bad (override RuntimeContract.bad)")
        for fields, name in self.bad():
            with pytest.raises(SacError) as refused:
                runtime.launch(self._agent(**fields))
            assert isinstance(refused.value, InvalidError | UnsupportedError), f"refused as {refused.value!r}"
            assert refused.value.field == name, f"{name} is wrong, and the error names {refused.value.field}"

    def _agent(self, *, generation: int = 1, **fields: Any) -> Agent:
        metadata = Metadata(name="agent", uid="00000000-0000-4000-8000-000000000001", generation=generation)
        return Agent(metadata=metadata, spec=self.spec(**fields))

    def _launch(self, runtime: Runtime, agent: Agent) -> Launch:
        launch = runtime.launch(agent)
        if launch is None:
            pytest.skip("capability: launch (this runtime needs no body)")
        return launch
