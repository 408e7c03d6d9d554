"""What is said in timelines, in words: one function for each thing that can happen to an agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sac_core.contracts.store import Record, Scope
from sac_core.errors import SacError
from sac_core.models.agent import Agent, AgentStatus
from sac_core.models.body import Observed
from sac_core.models.envelope import Condition
from sac_core.models.lifecycle import describe_exit
from sac_core.models.outlet import Outlet
from sac_core.models.process import Exit

SAC = "system:sac"
ASKED = ("request/", "version/")
ACTED = ("executor/",)
STATES = (*ASKED, "backend/", "phase/", "server/", "step/")
"""What makes SAC call an executor."""
ANYTHING = (*STATES, *ACTED)
BODY = "backend/body/"
NO_BODY = f"{BODY}absent//"
"""What is seen of a body that never was."""
ENDING = f"{BODY}terminating//"
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Note:
    """Something to be said in a timeline. ``key`` is what makes two notes equal; its first part is the kind.

    ``after`` are beginnings of keys: the newest cause that has one of them is the cause of this; none: it began here.
    """

    key: str
    actor: str
    text: str
    after: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    times: int = 1


def request(scope: Scope, verb: str, old: Record | None, new: Record) -> Note:
    """A principal asked for something."""
    actor = scope.principal.id
    origin = f", {scope.origin}" if scope.origin else ""
    meta = _changed_metadata(old, new)
    changed = f" ({', '.join(meta)} changed)" if meta else ""
    key = f"request/{verb}/{actor}/{scope.origin}/{','.join(meta)}"
    return Note(key, actor, f"asked to {verb} it{changed}{origin}", details={"verb": verb, "from": scope.origin})


def version(actor: str, old: Record | None, new: Record) -> Note:
    """The spec has a new generation; names of fields are told, never their values."""
    fields = _paths(old.spec, new.spec) if old else []
    text = f"version {new.generation} is wanted{': changed ' + ', '.join(fields) if fields else ''}"
    details = {"generation": new.generation, "changed": fields}
    return Note(f"version/{new.generation}", actor, _short(text), ("request/",), details)


def rooted(actor: str, generation: int) -> Note:
    """An agent's processes are to be root in its body: said by itself, so that whoever audits it finds it."""
    text = f"version {generation} has the profile dev-root: its processes are root in its body"
    return Note(f"version/{generation}/dev-root", actor, text, ("version/",), {"profile": "dev-root"})


def called(executor: str, call: str, generation: int, seconds: float, body: Observed) -> Note:
    """An executor was asked for something, and answered."""
    text = f"{call} for version {generation} answered {body.phase!r} in {seconds:.2f} s"
    details = {"call": call, "generation": generation, "seconds": round(seconds, 3), "outcome": body.phase}
    return Note(f"executor/{call}/{generation}/{body.phase}", f"executor:{executor}", text, STATES, details)


def call_failed(executor: str, call: str, generation: int, seconds: float, error: SacError) -> Note:
    """An executor did not do what it was asked for."""
    text = _short(f"{call} failed after {seconds:.2f} s: {error}")
    details = {"call": call, "generation": generation, "seconds": round(seconds, 3), "outcome": error.reason}
    return Note(f"executor/{call}/{generation}/{error.reason}", f"executor:{executor}", text, STATES, details)


def answers_again(executor: str) -> Note:
    """An executor that did not answer does."""
    return Note("executor/answers", f"executor:{executor}", "it answers again")


def seen(executor: str, body: Observed, *, expected: bool) -> Note:
    """The body is another than when it was last looked at; ``expected``: a call of ours is what changed it."""
    details = {"phase": body.phase, "reason": body.reason, "generation": body.generation}
    actor, text = f"executor:{executor}", _body_text(body, expected)
    return Note(body_key(body), actor, text, ACTED if expected else (), details)


def body_key(body: Observed) -> str:
    """What makes two looks at a body equal."""
    return f"{BODY}{body.phase}/{body.reason}/{_exit_key(body.exit)}"


def step(condition: Condition) -> Note:
    """A step of preparing the workspace is done, on its way, or cannot be done."""
    if condition.status == "True":
        text, after = f"{condition.type}: it is done", (f"step/{condition.type}/", *ACTED)
    else:
        text, after = f"{condition.type} ({condition.reason}): {condition.message}", (*ACTED, "version/")
    details = {"step": condition.type, "reason": condition.reason}
    return Note(f"step/{condition.type}/{condition.status}/{condition.reason}", SAC, _short(text), after, details)


def main_ended(executor: str, exit: Exit) -> Note:
    """The main process ended, and its body lives."""
    details = {"process": "main", "code": exit.code, "signal": exit.signal}
    text = f"its main process: {describe_exit(exit)}"
    return Note(f"backend/main/{_exit_key(exit)}", f"executor:{executor}", text, details=details)


def unreachable(outlet: Outlet, error: SacError) -> Note:
    """What the body called through an outlet could not be reached."""
    text = _short(f"its way to {outlet.place}: {error}")
    return Note(f"backend/outlet/{outlet.name}/{error.reason}", SAC, text, details={"outlet": outlet.name})


def phase(status: AgentStatus) -> Note:
    """The agent has another phase, or the same for another reason."""
    why = f" ({status.reason})" if status.reason else ""
    text = _short(f"{status.phase}{why}{': ' + status.message if status.message else ''}")
    details = {"phase": status.phase, "reason": status.reason}
    return Note(f"phase/{status.phase}/{status.reason}", SAC, text, ANYTHING, details)


def gone(kept: str) -> Note:
    """Nothing of the agent is left but this timeline, and what its executor was to keep."""
    text = "deleted: its body and its row are gone"
    if not kept:
        return Note("phase/Deleted/", SAC, text, ANYTHING)
    return Note("phase/Deleted/", SAC, _short(f"{text}; {kept}"), ANYTHING, {"kept": kept})


def abandoned(by: str, why: str) -> Note:
    """The row is gone, and nobody knows what became of the body."""
    text = f"deleted without its executor's answer, as {by} asked: {why}"
    return Note("phase/Deleted/Abandoned", SAC, _short(text), ANYTHING, {"abandoned": _short(why)})


def found(agent: Agent, server: str) -> Note:
    """A server started, and looks after what was there before."""
    text = f"a server started and looks after it: it was {agent.status.phase}"
    return Note("server/found", SAC, text, details={"server": server, "phase": agent.status.phase})


def opened(scope: Scope, session: Record) -> Note:
    """Somebody opened a terminal. Only the program is named: arguments may hold what is nobody else's business."""
    program = str((session.spec.get("command") or [""])[0])[:80]
    text = f"opened terminal {session.name} ({program}){', ' + scope.origin if scope.origin else ''}"
    return Note(f"session/{session.name}/opened", scope.principal.id, text, details={"session": session.name})


def not_opened(session: str, error: SacError) -> Note:
    """A terminal could not be opened."""
    text = _short(f"terminal {session} could not be opened: {error}")
    return Note(f"session/{session}/failed", SAC, text, (f"session/{session}/opened",), {"session": session})


def attached(scope: Scope, session: str, role: str) -> Note:
    """Somebody came to look at a terminal, or to type in it."""
    does = "types in" if role == "control" else "watches"
    key = f"session/{session}/attached/{scope.principal.id}/{role}"
    text = f"{does} terminal {session}{', ' + scope.origin if scope.origin else ''}"
    return Note(key, scope.principal.id, text, (f"session/{session}/opened",), {"session": session, "role": role})


def taken_over(scope: Scope, session: str) -> Note:
    """Somebody took the input of a terminal."""
    key, after = f"session/{session}/taken/{scope.principal.id}", (f"session/{session}/",)
    return Note(key, scope.principal.id, f"took over terminal {session}", after, {"session": session})


def closing(scope: Scope, session: str) -> Note:
    """Somebody asked to end a terminal."""
    origin = f", {scope.origin}" if scope.origin else ""
    text = f"asked to end terminal {session}{origin}"
    return Note(f"session/{session}/closing", scope.principal.id, text, details={"session": session})


def ended(session: str, exit: Exit) -> Note:
    """A terminal's process has ended."""
    by_itself = exit.code is not None or exit.signal is not None
    after = (f"session/{session}/closing",) if by_itself else (f"session/{session}/closing", *ACTED, "backend/")
    text = f"terminal {session}: {describe_exit(exit)}"
    details = {"session": session, "code": exit.code, "signal": exit.signal, "reason": exit.reason}
    return Note(f"session/{session}/ended", SAC, text, after, details)


def _body_text(body: Observed, expected: bool) -> str:
    message = f": {body.message}" if body.message else ""
    match body.phase:
        case "absent":
            return "there is no body any more" + ("" if expected else "; it was removed from outside")
        case "exited":
            how = "has ended" if expected else f"ended by itself: {describe_exit(body.exit)}"
            return _short(f"its body {how}{message}")
        case "terminating":
            return "its body is ending"
        case "unknown":
            return _short(f"nobody knows how its body is{message}")
    reason = f" ({body.reason})" if body.reason else ""
    if body.phase == "failed":
        return _short(f"its body failed{reason}{message}")
    return _short(f"its body is {body.phase}{reason}{message}")


def _changed_metadata(old: Record | None, new: Record) -> list[str]:
    if old is None:
        return []
    annotations = old.meta.get("annotations") != new.meta.get("annotations")
    return [*(["labels"] if old.labels != new.labels else []), *(["annotations"] if annotations else [])]


def _paths(old: Any, new: Any, path: str = "") -> list[str]:
    """The dotted paths of what differs, at most two deep."""
    if isinstance(old, Mapping) and isinstance(new, Mapping) and path.count(".") < 1:
        names = sorted({*old, *new})
        return [found for name in names for found in _paths(old.get(name), new.get(name), f"{path}.{name}".strip("."))]
    return [path] if old != new else []


def _exit_key(exit: Exit | None) -> str:
    return "" if exit is None else str(exit.code if exit.code is not None else exit.signal or exit.reason)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
