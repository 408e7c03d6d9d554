"""`sac describe`: all about an agent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.connecting import connected
from sac_core.cli.progress import printable
from sac_core.cli.tables import age, aligned, dumped
from sac_core.client.waiting import describe as phase_of
from sac_core.models.agent import Agent
from sac_core.models.session import Session

NOT_A_SANDBOX = "not a sandbox: it runs as you, with all that you may do"


async def describe(agent: str, /, *, common: Common = HERE) -> int:
    """Tell all about an agent: what it is, its conditions, its sessions.

    Parameters
    ----------
    agent
        Its name.
    """
    async with connected(common) as sac:
        found = await sac.agents.get(agent)
        sessions = await sac.sessions.list(field_selector=f"spec.agent={agent}")
    print("\n".join((*_facts(found), *_conditions(found), *_sessions(sessions.items), *_spec(found))))
    return 0


def _facts(agent: Agent) -> Iterator[str]:
    meta, status = agent.metadata, agent.status
    isolation = {True: "isolated", False: NOT_A_SANDBOX, None: "not known yet"}[status.isolated]
    rows = [
        ("Name", meta.name),
        ("Phase", phase_of(agent)),
        ("Runtime", agent.spec.runtime),
        ("Executor", status.executor),
        ("Isolation", isolation),
        ("Created", _when(meta.creation_timestamp)),
        ("Running", f"since {_when(status.running_at)}" if status.running_at else "no"),
        ("Restarts", str(status.restarts) if status.restarts else ""),
        ("Labels", ", ".join(f"{key}={value}" for key, value in meta.labels.items())),
        ("Owner", meta.owner),
    ]
    yield from aligned([(f"{title}:", printable(value)) for title, value in rows if value])


def _conditions(agent: Agent) -> Iterator[str]:
    if agent.status.conditions:
        rows = [("TYPE", "STATUS", "AGE", "REASON", "MESSAGE")]
        for item in agent.status.conditions:
            since = age(item.last_transition_time) if item.last_transition_time else ""
            rows.append((item.type, item.status, since, item.reason, printable(item.message)))
        yield from ("", "Conditions:", *_indented(aligned(rows)))


def _sessions(sessions: tuple[Session, ...]) -> Iterator[str]:
    if sessions:
        rows = [("NAME", "PHASE", "AGE", "COMMAND")]
        for item in sessions:
            since = age(item.metadata.creation_timestamp) if item.metadata.creation_timestamp else ""
            rows.append((item.metadata.name, item.status.phase, since, printable(" ".join(item.spec.command or ()))))
        yield from ("", "Sessions:", *_indented(aligned(rows)))


def _spec(agent: Agent) -> Iterator[str]:
    spec = agent.spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    yield from ("", "Spec:", *_indented(dumped(spec, "yaml").splitlines()))


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _when(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC ({age(time)} ago)" if time else ""
