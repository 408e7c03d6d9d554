"""A timeline as lines of text: newest last, times as ages, and what caused each."""

from __future__ import annotations

from datetime import UTC, datetime

from sac_core.cli.progress import printable
from sac_core.cli.tables import age, aligned
from sac_core.models.cause import Cause, Timeline

HEADING = ("NO", "AGE", "WHO", "WHAT", "BECAUSE OF")


def timeline_lines(timeline: Timeline, now: datetime | None = None) -> list[str]:
    """A table of causes; what happened again and again is one line with a count."""
    now = now or datetime.now(UTC)
    return aligned([HEADING, *(_row(cause, now) for cause in timeline.items)])


def _row(cause: Cause, now: datetime) -> tuple[str, ...]:
    because = str(cause.because) if cause.because is not None else ""
    return str(cause.seq), _age(cause, now), printable(cause.actor), printable(cause.text), because


def _age(cause: Cause, now: datetime) -> str:
    last = age(cause.last_at, now)
    return last if cause.count == 1 else f"{last} (x{cause.count} in {age(cause.at, cause.last_at)})"
