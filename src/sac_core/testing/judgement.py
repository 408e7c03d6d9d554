"""Whether rows and bodies agree. Bodies are asked themselves: what they left outside, never what SAC says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sac_core.models.agent import Agent
from sac_core.models.session import Session
from sac_core.testing.simulated_program import Beat
from sac_core.testing.simulated_target import SimulatedTarget

_SETTLED = ("Running", "Stopped", "Completed", "Failed")


def overlaps(beats: Sequence[Beat]) -> Iterator[str]:
    """Bodies of one tag that lived at once: one that was followed by another must not be heard of again."""
    last: dict[str, str] = {}
    over: set[tuple[str, str]] = set()
    for tag, body in beats:
        if last.get(tag, body) != body:
            over.add((tag, last[tag]))
        if (tag, body) in over:
            yield f"body {body} of {tag!r} lived on beside its follower"
        last[tag] = body


def disagreements(target: SimulatedTarget, agents: Sequence[Agent], sessions: Sequence[Session]) -> Iterator[str]:
    """What is not true of the world as it is now; all of it must be false at once after a moment without faults."""
    rows = {agent.metadata.uid: agent for agent in agents}
    there = {body.key.uid: body for body in target.bodies()}
    for uid, body in there.items():
        if uid not in rows:
            yield f"a body of {body.key.agent!r} without a row"
    for uid, agent in rows.items():
        phase = agent.status.phase
        alive = uid in there and there[uid].alive
        if phase not in _SETTLED or agent.status.observed_generation != agent.metadata.generation:
            yield f"{agent.metadata.name!r} stays {phase}: {agent.status.message}"
        elif alive != (phase == "Running"):
            yield f"{agent.metadata.name!r} is said to be {phase}, and its body {'lives' if alive else 'does not'}"
    for session in sessions:
        if session.status.phase not in ("Running", "Ended"):
            yield f"session {session.metadata.name!r} stays {session.status.phase}"
        elif session.status.agent_uid not in rows:
            yield f"session {session.metadata.name!r} has outlived its agent"


def doubles(target: SimulatedTarget) -> Iterator[str]:
    """Bodies that ever lived at once."""
    yield from overlaps(target.beats)
    for uid, most in target.most_alive.items():
        if most > 1:
            yield f"{most} bodies of {uid} lived at once"
