"""What bodies say of themselves in a soak: each beats into a file, and holds a lock that is its agent's."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_SCRIPT = """
me=$$-$EPOCHREALTIME
exec 8>"$SOAK_FOLDER/$SOAK_AGENT.lock"
flock -n 8 || echo "$EPOCHREALTIME $SOAK_AGENT $me double" >>"$SOAK_FOLDER/beats"
exec 9<> <(:)
while :; do
  echo "$EPOCHREALTIME $SOAK_AGENT $me beat" >>"$SOAK_FOLDER/beats"
  read -r -t 0.1 -u 9
done
"""
COMMAND = ["bash", "-c", _SCRIPT]
"""Beats ten times a second without starting a process for it; the kernel frees the lock when it has ended."""

_LINE = re.compile(r"(\d+\.\d+) (\S+) (\S+) (beat|double)")


class Beat(NamedTuple):
    """A sign of life: when, of which agent, which process (with its start: ids come again), and a lock found taken."""

    at: float
    agent: str
    process: str
    double: bool


def variables(folder: Path, agent: str) -> dict[str, str]:
    """The environment of an agent's bodies."""
    return {"SOAK_FOLDER": str(folder), "SOAK_AGENT": agent}


def beats(folder: Path) -> Iterator[Beat]:
    """All beats so far, in the order of the file; a line that is being written is left out."""
    path = folder / "beats"
    for line in path.read_text().splitlines() if path.exists() else ():
        found = _LINE.fullmatch(line)
        if found:
            at, agent, process, kind = found.groups()
            yield Beat(float(at), agent, process, kind == "double")


def doubles(folder: Path) -> Iterator[str]:
    """Bodies of one agent that lived at once, judged by what they left."""
    last: dict[str, str] = {}
    over: dict[str, set[str]] = defaultdict(set)
    for beat in beats(folder):
        if beat.double:
            yield f"{beat.at}: process {beat.process} of {beat.agent} found another body alive"
        if last.setdefault(beat.agent, beat.process) != beat.process:
            over[beat.agent].add(last[beat.agent])
            last[beat.agent] = beat.process
        if beat.process in over[beat.agent]:
            yield f"{beat.at}: process {beat.process} of {beat.agent} beats beside its follower"
