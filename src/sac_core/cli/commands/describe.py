"""`sac describe`: all about an agent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from sac_core.cli.arguments import HERE, Common, Switch
from sac_core.cli.connecting import connected
from sac_core.cli.kinds import find_kind
from sac_core.cli.progress import printable
from sac_core.cli.tables import age, aligned, condition_lines, dumped, indented
from sac_core.cli.timelines import timeline_lines
from sac_core.client.kinds import AGENT_KIND
from sac_core.client.waiting import describe as phase_of
from sac_core.errors import InvalidError
from sac_core.models.agent import Agent
from sac_core.models.session import Session

_BETWEEN = re.compile("(?<=[a-z])(?=[A-Z])")
NOT_A_SANDBOX = "not a sandbox: it runs as you, with all that you may do"


async def describe(agent: str, name: str | None = None, /, *, timeline: Switch = False, common: Common = HERE) -> int:
    """Tell all about an agent: what it is, its conditions, its sessions, and what happened to it and why.

    Parameters
    ----------
    agent
        Its name; `agent NAME` and `agent/NAME` mean the same.
    name
        Its name, after the word agent.
    timeline
        Tell only what happened and why, also of an agent that is gone, by its name or uid.
    """
    chosen = _chosen(agent, name)
    async with connected(common) as sac:
        if timeline:
            print("\n".join(timeline_lines(await sac.agents.timeline(chosen))))
            return 0
        found = await sac.agents.get(chosen)
        sessions = await sac.sessions.list(field_selector=f"spec.agent={chosen}")
        story = await sac.agents.timeline(found.metadata.uid)
    told = ("", "Timeline:", *indented(timeline_lines(story)))
    conditions = condition_lines(found.status.conditions)
    print("\n".join((*facts(found), *conditions, *_sessions(sessions.items), *_spec(found), *told)))
    return 0


def _chosen(agent: str, name: str | None) -> str:
    kind, slash, rest = agent.rpartition("/")
    if name is None and not slash:
        return agent
    kind, chosen = (agent, name) if name is not None else (kind, rest)
    if find_kind((AGENT_KIND,), kind) is None:
        raise InvalidError(f"{kind!r} has no description", field="KIND", reason="Usage", hint="only agents have one")
    return chosen


def facts(agent: Agent) -> Iterator[str]:
    """What there is to say of it in a line each."""
    meta, status = agent.metadata, agent.status
    isolation = {True: "isolated", False: NOT_A_SANDBOX, None: "not known yet"}[status.isolated]
    rows = [
        ("Name", meta.name),
        ("Phase", phase_of(agent)),
        ("Runtime", agent.spec.runtime),
        ("Executor", str(status.placement)),
        ("Isolation", isolation),
        ("Created", _when(meta.creation_timestamp)),
        ("Running", f"since {_when(status.running_at)}" if status.running_at else "no"),
        ("Restarts", str(status.restarts) if status.restarts else ""),
        *((_title(name), value) for name, value in status.details.items()),
        ("Labels", ", ".join(f"{key}={value}" for key, value in meta.labels.items())),
        ("Owner", meta.owner),
    ]
    yield from aligned([(f"{title}:", printable(value)) for title, value in rows if value])


def _title(name: str) -> str:
    """A name in camelCase, as people write it."""
    return _BETWEEN.sub(" ", name).capitalize()


def _sessions(sessions: tuple[Session, ...]) -> Iterator[str]:
    if sessions:
        rows = [("NAME", "PHASE", "AGE", "COMMAND")]
        for item in sessions:
            since = age(item.metadata.creation_timestamp) if item.metadata.creation_timestamp else ""
            rows.append((item.metadata.name, item.status.phase, since, printable(" ".join(item.spec.command or ()))))
        yield from ("", "Sessions:", *indented(aligned(rows)))


def _spec(agent: Agent) -> Iterator[str]:
    spec = agent.spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    yield from ("", "Spec:", *indented(dumped(spec, "yaml").splitlines()))


def _when(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC ({age(time)} ago)" if time else ""
