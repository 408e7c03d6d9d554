"""Preparing a workspace: steps of the core in a body, before its main process starts; one condition each.

Every step may be repeated. A clone, which may take minutes, is a process of the body that the next look, also of
another server, finds again. That all is done is remembered by the body itself, as a process that has ended: what a
body forgets, it needs again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from sac_core.errors import DeadlineError, LaunchError
from sac_core.models import transitions
from sac_core.models.agent import AgentStatus
from sac_core.models.envelope import Condition
from sac_core.models.launch import Launch
from sac_core.models.lifecycle import failed_reason
from sac_core.models.process import Command
from sac_core.models.workspace import Preparation
from sac_core.service import notes
from sac_core.service.agent_work import Work
from sac_core.service.bodies import PREPARING, Body
from sac_core.service.cloning import Unfinished, forget_preparing, keep_clone, waited
from sac_core.service.opener import open_in
from sac_core.service.placing import place
from sac_core.service.programs import find_programs

CLONED, INSTRUCTED, SKILLED, FOUND = transitions.PREPARATIONS

_PAUSES = (1.0, 60.0)
"""Seconds until a step that took too long, or did not go well, is tried again: half of what it has waited."""
_WAITING = "Waiting"
_NOTHING = Command(argv=("sh", "-c", ":"), stdin=False)

Step = tuple[str, Callable[[], Awaitable[None]]]


@dataclass(frozen=True, slots=True)
class Missing:
    """What a workspace lacks: ``error`` when trying again would not help, else ``again`` says when to, in seconds."""

    message: str
    again: float
    error: LaunchError | None = None


async def prepare(work: Work, launch: Launch, body: Body) -> tuple[Work, Missing | None]:
    """Do what is not done yet; the work with the agent's status then, and what is still missing."""
    todo, before = launch.preparation, work.agent.status
    steps = _steps(work, launch, body)
    status, missing = transitions.steps_wanted(before, [type for type, _ in steps]), None
    if not steps and _prepared(before):
        await forget_preparing(body)
    done = not steps or await body.look(_done(todo)) is not None
    for number, (type, step) in enumerate(steps):
        try:
            if not done:
                await step()
        except (Unfinished, DeadlineError, LaunchError) as reason:
            status, missing = _stopped(work, status, steps[number:], reason)
            break
        status = transitions.step_done(status, work.services.now(), type)
    if not done and missing is None:
        await _remember(body, todo)
    work.told.extend(notes.step(each) for each in _news(before, status, [type for type, _ in steps]))
    return work.with_status(status), missing


def _steps(work: Work, launch: Launch, body: Body) -> list[Step]:
    todo, steps = launch.preparation, list[Step]()
    if todo.programs:
        steps.append((FOUND, lambda: find_programs(launch, body, todo.programs)))
    if todo.git is not None:
        clone = todo.git
        steps.append((CLONED, lambda: keep_clone(work, launch, body, clone)))
    if todo.instructions:
        steps.append((INSTRUCTED, lambda: place(launch, body, todo.instructions, "spec.instructions")))
    if todo.skills:
        steps.append((SKILLED, lambda: place(launch, body, todo.skills, "spec.skills")))
    return steps


def _stopped(
    work: Work, status: AgentStatus, left: list[Step], why: Unfinished | DeadlineError | LaunchError
) -> tuple[AgentStatus, Missing]:
    """This step is not done, and those behind it wait."""
    now, error = work.services.now(), why if isinstance(why, LaunchError) else None
    reason = failed_reason(why.reason) if error else why.reason
    (type, _), *behind = left
    status = transitions.step_waits(status, now, type, reason, str(why))
    for later, _ in behind:
        status = transitions.step_waits(status, now, later, _WAITING, f"{type} comes first")
    pause = min(max(waited(work, type) * 0.5, _PAUSES[0]), _PAUSES[1])
    again = (why.again if isinstance(why, Unfinished) else None) or pause
    next_clone = why.at if isinstance(why, Unfinished) else None
    return status.model_copy(update={"next_clone": next_clone}), Missing(str(why), again, error)


async def _remember(body: Body, todo: Preparation) -> None:
    """Have the body remember that this is done, and forget what it remembers of others."""
    await forget_preparing(body)
    await open_in(body, _done(todo), _NOTHING)


def _prepared(status: AgentStatus) -> bool:
    return any(known.type in transitions.PREPARATIONS for known in status.conditions)


def _done(todo: Preparation) -> str:
    return f"{PREPARING}done-{todo.digest}"


def _news(before: AgentStatus, after: AgentStatus, types: list[str]) -> Iterator[Condition]:
    """The conditions of steps that changed, but for those that only wait."""
    old = {known.type: (known.status, known.reason) for known in before.conditions}
    new = {known.type: known for known in after.conditions}
    for condition in (new[type] for type in types):
        if condition.reason != _WAITING and old.get(condition.type) != (condition.status, condition.reason):
            yield condition
