"""A clone as a process of a body: begun, found again, judged by its end, and tried again after a growing pause."""

from __future__ import annotations

import random
from collections import deque
from datetime import datetime, timedelta

import anyio

from sac_core.errors import DeadlineError
from sac_core.models import transitions
from sac_core.models.launch import Launch
from sac_core.models.process import Command, Exit
from sac_core.models.workspace import Clone
from sac_core.service.agent_work import Work
from sac_core.service.bodies import PREPARING, Body, Running
from sac_core.service.execs import run_exec
from sac_core.service.git_clone import CLONED, clone_command, failure, shown
from sac_core.service.opener import open_in
from sac_core.service.secret_delivery import login_of

_TYPE = transitions.PREPARATIONS[0]
_LOOK_DEADLINE = 10.0
_PAUSES = (1.0, 60.0)
_LOOKS = (0.2, 5.0)
_KEPT = 256
"""Pieces of output that are looked at for what git said last."""


class Unfinished(Exception):
    """A step is on its way, or is tried again.

    Look after ``again`` seconds, None: after a growing pause; ``at`` is when a clone is due again.
    """

    def __init__(self, reason: str, message: str, again: float | None = None, at: datetime | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.again = again
        self.at = at


async def keep_clone(work: Work, launch: Launch, body: Body, clone: Clone) -> None:
    """Have the repository in the workspace.

    Raises `Unfinished` while it is not, `LaunchError` when it cannot be; the secret is opened only where it is needed.
    """
    process_id = f"{PREPARING}clone-{clone.digest}"
    known = await body.look(process_id)
    if known is None:
        if not await _is_there(launch, body):
            await _begin(work, launch, body, clone, process_id)
    elif known.exit is None:
        await _go_on(work, body, clone, known)
    elif known.exit.code != 0:
        await _failed(work, launch, body, clone, known.exit, process_id)


async def forget_preparing(body: Body) -> None:
    """End what prepares its workspace, and have the body remember none of it."""
    for known in await body.list():
        process = await body.find(known.id) if known.id.startswith(PREPARING) else None
        if process is not None:
            await process.aclose()


async def _is_there(launch: Launch, body: Body) -> bool:
    look = Command(argv=("sh", "-c", CLONED), cwd=launch.template.cwd, stdin=False, overflow="block")
    return (await run_exec(body, look, timeout=_LOOK_DEADLINE)).code == 0


async def _begin(work: Work, launch: Launch, body: Body, clone: Clone, process_id: str) -> None:
    login = await login_of(work, clone)
    await forget_preparing(body)
    command = clone_command(clone, login, env=launch.binding.env, cwd=launch.template.cwd)
    await open_in(body, process_id, command)
    raise Unfinished("Cloning", _doing(clone), _LOOKS[0])


async def _go_on(work: Work, body: Body, clone: Clone, known: Running) -> None:
    """It runs; ended when it has had all the time there is, and then judged by that end."""
    lasts, allowed = waited(work, _TYPE), work.agent.spec.start_timeout
    process = await body.find(known.id)
    if lasts > allowed and process is not None:
        await process.signal("KILL")
    raise Unfinished("Cloning", _doing(clone), _between(lasts * 0.5, _LOOKS))


async def _failed(work: Work, launch: Launch, body: Body, clone: Clone, exit: Exit, process_id: str) -> None:
    """It ended badly: for good, or to be tried again. What has failed stays remembered until then."""
    now, due, allowed = work.services.now(), work.agent.status.next_clone, work.agent.spec.start_timeout
    said = shown(await _output(body, process_id), await login_of(work, clone))
    error = failure(clone, exit, said, allowed)
    if error is not None:
        raise error
    if due is not None and due <= now:
        await _begin(work, launch, body, clone, process_id)
    if due is None:
        due = now + timedelta(seconds=_between(waited(work, _TYPE) * 0.5, _PAUSES) * random.uniform(0.9, 1.1))
    raise Unfinished("Retrying", f"{said}; it is tried again", (due - now).total_seconds(), due)


def waited(work: Work, type: str) -> float:
    """Seconds since a step has been known not to be done."""
    conditions = (one for one in work.agent.status.conditions if one.type == type and one.status == "False")
    since = next((one.last_transition_time for one in conditions), None)
    return (work.services.now() - since).total_seconds() if since is not None else 0.0


def _doing(clone: Clone) -> str:
    return f"git clones {clone.url}"


def _between(seconds: float, bounds: tuple[float, float]) -> float:
    return min(max(seconds, bounds[0]), bounds[1])


async def _output(body: Body, process_id: str) -> bytes:
    """The end of what it printed."""
    pieces = deque[bytes](maxlen=_KEPT)
    process = await body.find(process_id)
    with anyio.move_on_after(_LOOK_DEADLINE) as scope:
        if process is not None:
            async for chunk in process.output():
                pieces.append(chunk.data)
    if scope.cancelled_caught:
        raise DeadlineError("the body does not tell what git said")
    return b"".join(pieces)
