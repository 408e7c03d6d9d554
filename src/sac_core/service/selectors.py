"""Selectors as in Kubernetes: ``a=b,c!=d,e in (f,g),h notin (i),j,!k``."""

from __future__ import annotations

import re

from sac_core.contracts.store import Requirement
from sac_core.errors import InvalidError

_TERM = re.compile(
    r"\s*(?:"
    r"(?P<absent>!)\s*(?P<missing>[\w./-]+)"
    r"|(?P<set>[\w./-]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)"
    r"|(?P<key>[\w./-]+)\s*(?P<sign>==|=|!=)\s*(?P<value>[\w./-]*)"
    r"|(?P<present>[\w./-]+)"
    r")\s*(?:,|\Z)"
)
_LONGEST = 4096


def parse_selector(text: str, *, field: str) -> tuple[Requirement, ...]:
    """The requirements of a selector; raises `InvalidError` that shows where it stopped making sense."""
    if len(text) > _LONGEST:
        raise InvalidError(f"a selector is at most {_LONGEST} characters", field=field)
    found: list[Requirement] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TERM.match(text, at)
        if match is None:
            raise InvalidError(
                f"cannot read {text[at : at + 40]!r}", field=field, hint="write for example: app=web,tier in (a,b),!old"
            )
        found.append(_requirement(match))
        at = match.end()
    return tuple(found)


def parse_fields(text: str, known: tuple[str, ...]) -> tuple[Requirement, ...]:
    """The requirements of a field selector: only ``=`` and ``!=`` on the ``known`` paths."""
    found = parse_selector(text, field="fieldSelector")
    for term in found:
        if term.key not in known or term.operator not in ("=", "!="):
            raise InvalidError(
                f"cannot select by {term.key!r}", field="fieldSelector", hint=f"known: {', '.join(known)}, with = or !="
            )
    return found


def matches(labels: dict[str, str], requirements: tuple[Requirement, ...]) -> bool:
    """Whether labels fulfil all requirements."""
    return all(_holds(labels.get(term.key), term) for term in requirements)


def _holds(value: str | None, term: Requirement) -> bool:
    match term.operator:
        case "exists":
            return value is not None
        case "missing":
            return value is None
        case "=" | "in":
            return value in term.values
    return value not in term.values


def _requirement(match: re.Match[str]) -> Requirement:
    group = match.groupdict()
    if group["missing"]:
        return Requirement(group["missing"], "missing")
    if group["set"]:
        values = tuple(value.strip() for value in group["values"].split(",") if value.strip())
        return Requirement(group["set"], group["operator"], values)
    if group["key"]:
        return Requirement(group["key"], "!=" if group["sign"] == "!=" else "=", (group["value"],))
    return Requirement(group["present"], "exists")
