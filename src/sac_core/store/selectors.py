"""Requirements of a query as conditions of SQL. Keys, paths and values are bound, never part of a statement's text."""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, String, case, cast, exists, func, literal

from sac_core.contracts.store import Requirement
from sac_core.errors import InvalidError
from sac_core.store.tables import labels, resources

_PATH = re.compile(r"(spec|status)((?:\.[A-Za-z0-9]+)+)\Z")
_COLUMNS = {
    "metadata.name": resources.c.name,
    "metadata.namespace": resources.c.tenant,
    "metadata.uid": resources.c.uid,
    "metadata.owner": resources.c.owner,
}
_JSON_COLUMNS = {"spec": resources.c.spec, "status": resources.c.status}


def label_condition(requirement: Requirement) -> ColumnElement[bool]:
    """A label's term; as in Kubernetes, ``!=`` and ``notin`` hold for what lacks the key."""
    own = exists().where(labels.c.uid == resources.c.uid, labels.c.key == requirement.key)
    with_value = own.where(labels.c.value.in_(requirement.values))
    match requirement.operator:
        case "=" | "in":
            return with_value
        case "!=" | "notin":
            return ~with_value
        case "exists":
            return own
        case "missing":
            return ~own
        case _:
            raise _unknown_operator(requirement, "labelSelector")


def field_condition(requirement: Requirement) -> ColumnElement[bool]:
    """A field's term, compared as text; a path that is not there is missing."""
    value = _field(requirement.key)
    match requirement.operator:
        case "=" | "in":
            return value.in_(requirement.values)
        case "!=" | "notin":
            return value.is_(None) | value.not_in(requirement.values)
        case "exists":
            return value.is_not(None)
        case "missing":
            return value.is_(None)
        case _:
            raise _unknown_operator(requirement, "fieldSelector")


def _field(path: str) -> ColumnElement[str]:
    if path in _COLUMNS:
        return _COLUMNS[path]
    match = _PATH.match(path)
    if match is None:
        raise InvalidError(
            f"{path[:80]!r} is not a field to select by",
            field="fieldSelector",
            hint=f"use spec.<path>, status.<path> or one of {', '.join(_COLUMNS)}",
        )
    return _json_text(_JSON_COLUMNS[match[1]], f"${match[2]}")


def _json_text(column: ColumnElement[str], path: str) -> ColumnElement[str]:
    """A value inside stored JSON as the text that the wire shows; SQLite would give 1 for true."""
    at = literal(path)
    return case(
        (func.json_type(column, at) == "true", "true"),
        (func.json_type(column, at) == "false", "false"),
        else_=cast(func.json_extract(column, at), String),
    )


def _unknown_operator(requirement: Requirement, field: str) -> InvalidError:
    return InvalidError(f"{requirement.operator[:20]!r} is not an operator of a selector", field=field)
