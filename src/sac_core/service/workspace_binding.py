"""From an agent's spec to what is done in its body before it begins."""

from __future__ import annotations

from sac_core.contracts.store import Scope, Unit
from sac_core.errors import InvalidError
from sac_core.models.agent import Agent
from sac_core.models.launch import Launch
from sac_core.models.workspace import Places, Preparation
from sac_core.service.secret_binding import bind_login


async def bind_workspace(
    unit: Unit,
    scope: Scope,
    agent: Agent,
    places: Places,
    programs: dict[str, str],
    launch: Launch | None,
    before: Preparation,
) -> Launch | None:
    """A launch with its preparation.

    Raises `InvalidError` that names the field: without a body there is no workspace, and a secret must be the caller's.
    """
    if launch is None:
        _nothing_asked(agent)
        return None
    spec, git = agent.spec, agent.spec.workspace.git
    preparation = Preparation(
        programs=programs,
        git=await bind_login(unit, scope, git, before.git) if git else None,
        instructions={places.instructions: spec.instructions} if spec.instructions else {},
        skills={places.skills.replace("{name}", skill.name): skill.text for skill in spec.skills},
    )
    return launch.model_copy(update={"preparation": preparation})


def _nothing_asked(agent: Agent) -> None:
    spec = agent.spec
    asked = {"workspace.git": spec.workspace.git, "instructions": spec.instructions, "skills": spec.skills}
    field = next((name for name, value in asked.items() if value), None)
    if field is not None:
        raise InvalidError("this runtime has no body, so it has no workspace", field=f"spec.{field}")
