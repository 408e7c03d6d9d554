"""Things for people and programs: tables, JSON, YAML, names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from sac_core.cli.progress import printable
from sac_core.models.envelope import Condition
from sac_core.models.kind import Column

Format = Literal["table", "json", "yaml", "name"]

_UNITS = ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "m"))


def age(since: datetime, now: datetime | None = None) -> str:
    """How long ago, in one unit: ``45s``, ``5m``, ``3h``, ``2d``, ``1y``."""
    seconds = max(0, int(((now or datetime.now(UTC)) - since).total_seconds()))
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def cell(document: Mapping[str, Any], column: Column) -> str:
    """The value of a column; a time under AGE becomes an age, what is not there is empty."""
    value: Any = document
    for part in column.path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        return ""
    if column.title == "AGE":
        return age(datetime.fromisoformat(str(value)))
    return printable(value if isinstance(value, str) else json.dumps(value))


def table(columns: Sequence[Column], documents: Iterable[Mapping[str, Any]]) -> list[str]:
    """Lines of a table with a heading, cells aligned."""
    rows = [[cell(document, column) for column in columns] for document in documents]
    return aligned([[column.title for column in columns], *rows])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["   ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def dumped(document: Any, form: Literal["json", "yaml"]) -> str:
    """A document as JSON or YAML."""
    if form == "json":
        return json.dumps(document, indent=2, ensure_ascii=False)
    import yaml

    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    return text.rstrip("\n")


def indented(lines: Iterable[str]) -> list[str]:
    """Lines below a heading."""
    return [f"  {line}" for line in lines]


def condition_lines(conditions: Sequence[Condition]) -> list[str]:
    """Conditions as a table below its heading; nothing when there are none."""
    rows = [("TYPE", "STATUS", "AGE", "REASON", "MESSAGE")]
    for item in conditions:
        since = age(item.last_transition_time) if item.last_transition_time else ""
        rows.append((item.type, item.status, since, item.reason, printable(item.message)))
    return ["", "Conditions:", *indented(aligned(rows))] if conditions else []
