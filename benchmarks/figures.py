"""A measured figure, its bar, and the table and JSON of all."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "latest.json"


class Missing(Exception):
    """A benchmark cannot be run here, for want of what its message names."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What is promised of a figure's ``value``: at least, or at most, so much of a unit."""

    limit: float
    at_least: bool = False
    unit: str = ""

    def met_by(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g}{self.unit and ' ' + self.unit}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: ours and the peer's in ``unit``, and ``value``, which the bar is about (a ratio, a difference, ours).

    ``low`` and ``high`` are the extremes of ``value`` over the rounds. A figure without a bar is reported only.
    """

    name: str
    ours: float
    unit: str
    value: float
    bar: Bar | None = None
    peer: float | None = None
    peer_name: str = ""
    low: float | None = None
    high: float | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def met(self) -> bool | None:
        return None if self.bar is None else self.bar.met_by(self.value)


def compared(name: str, unit: str, ours: Sequence[float], peer: Sequence[float], *, peer_name: str, bar: Bar | None,
             notes: tuple[str, ...] = ()) -> Figure:  # fmt: skip
    """A figure of pairs measured one after the other: the median of their ratios, which a slow minute moves less."""
    ratios = [mine / other for mine, other in zip(ours, peer, strict=True)]
    return Figure(
        name, statistics.median(ours), unit, statistics.median(ratios), bar,
        statistics.median(peer), peer_name, min(ratios), max(ratios), notes,
    )  # fmt: skip


def added(name: str, unit: str, ours: Sequence[float], peer: Sequence[float], *, peer_name: str, bar: Bar | None,
          notes: tuple[str, ...] = ()) -> Figure:  # fmt: skip
    """A figure of pairs whose difference is promised: the median of the differences."""
    differences = [mine - other for mine, other in zip(ours, peer, strict=True)]
    return Figure(
        name, statistics.median(ours), unit, statistics.median(differences), bar,
        statistics.median(peer), peer_name, min(differences), max(differences), notes,
    )  # fmt: skip


def table(figures: Sequence[Figure]) -> str:
    """The figures in columns, notes below."""
    head = ("figure", "ours", "peer", "compared", "spread", "bar", "met")
    rows = [head, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    notes = [f"  {figure.name}: {note}" for figure in figures for note in figure.notes]
    return "\n".join([*lines, *(["", *notes] if notes else [])])


def _row(figure: Figure) -> tuple[str, ...]:
    peer = "-" if figure.peer is None else f"{figure.peer:.4g} {figure.unit} ({figure.peer_name})"
    spread = "-" if figure.low is None or figure.high is None else f"{figure.low:.3g} .. {figure.high:.3g}"
    met = {None: "-", True: "yes", False: "NO"}[figure.met]
    return (
        figure.name,
        f"{figure.ours:.4g} {figure.unit}",
        peer,
        f"{figure.value:.3g}",
        spread,
        str(figure.bar or "-"),
        met,
    )


def save(figures: Sequence[Figure], path: Path = RESULTS) -> None:
    """Write the figures as JSON, with what they were measured on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "load": [round(load, 2) for load in os.getloadavg()],
        },
        "figures": [{**asdict(figure), "met": figure.met, "bar": str(figure.bar or "")} for figure in figures],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
