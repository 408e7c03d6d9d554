"""Targets in words."""

from __future__ import annotations

import time
from collections.abc import Iterator

import anyio

from sac_core.cli.progress import Progress, printable
from sac_core.cli.tables import aligned, condition_lines, dumped, indented
from sac_core.client.surface import HttpSac
from sac_core.models.agent import Agent
from sac_core.models.target import Target

SETTLED_TIMEOUT = 20.0
"""Seconds in which a target that is written is looked at."""


async def settled(sac: HttpSac, name: str) -> Target:
    """The target once it was looked at as it is now; or as it is after `SETTLED_TIMEOUT`."""
    deadline = time.monotonic() + SETTLED_TIMEOUT
    with Progress() as progress:
        while True:
            target = await sac.targets.get(name)
            if target.status.observed_generation == target.metadata.generation or time.monotonic() > deadline:
                return target
            progress.show(f"Waiting for target {name}")
            await anyio.sleep(0.1)


def settled_line(target: Target) -> str:
    """``target/one is Ready``, or what is wrong."""
    why = f": {printable(target.status.message)}" if target.status.message else ""
    return f"target/{target.metadata.name} is {target.status.phase}{why}"


async def described(sac: HttpSac, name: str) -> list[str]:
    """All about a target, and the agents on it that this user sees."""
    target = await sac.targets.get(name)
    there = f"status.executor={target.spec.executor},status.target={name}"
    agents = (await sac.agents.list(field_selector=there)).items
    return [*_facts(target), *condition_lines(target.status.conditions), *_findings(target), *_agents(agents)]


def _facts(target: Target) -> Iterator[str]:
    meta, spec, status = target.metadata, target.spec, target.status
    isolation = {True: "isolated", False: "not a sandbox", None: ""}[status.isolated]
    rows = [
        ("Name", meta.name),
        ("Executor", spec.executor),
        ("Phase", f"{status.phase} ({status.message})" if status.message else status.phase),
        ("Default", "yes" if status.default else ""),
        ("New agents", "yes" if spec.schedulable else "no"),
        ("Isolation", isolation),
        ("Place", status.place),
        ("Can", ", ".join(status.capabilities)),
        ("Labels", ", ".join(f"{key}={value}" for key, value in meta.labels.items())),
        ("Kept secret", ", ".join(status.sealed)),
    ]
    yield from aligned([(f"{title}:", printable(value)) for title, value in rows if value])
    if spec.settings:
        yield from (
            "",
            "Settings:",
            *indented([printable(line) for line in dumped(spec.settings, "yaml").splitlines()]),
        )


def _findings(target: Target) -> Iterator[str]:
    if target.status.findings:
        rows = [(finding.level, finding.check, finding.message, finding.advice) for finding in target.status.findings]
        lines = aligned([("LEVEL", "CHECK", "MESSAGE", "ADVICE"), *[tuple(map(printable, row)) for row in rows]])
        yield from ("", "Findings:", *indented(lines))


def _agents(agents: tuple[Agent, ...]) -> Iterator[str]:
    if agents:
        rows = [(agent.metadata.name, agent.status.phase) for agent in agents]
        yield from ("", "Agents:", *indented(aligned([("NAME", "PHASE"), *rows])))
