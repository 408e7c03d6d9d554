"""What `sac describe` says of an agent."""

from __future__ import annotations

from sac_core.cli.commands.describe import facts
from sac_core.models.agent import Agent, AgentStatus
from sac_core.models.envelope import Metadata


def test_what_the_executor_tells_is_a_line_each() -> None:
    status = AgentStatus(details={"node": "n1", "containerRestarts": "2", "address": "\x1b[2Jx"})
    lines = list(facts(Agent(metadata=Metadata(name="box"), status=status)))
    assert any(line.split() == ["Node:", "n1"] for line in lines)
    assert any(line.split() == ["Container", "restarts:", "2"] for line in lines)
    assert "\x1b" not in "".join(lines)
