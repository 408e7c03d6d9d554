"""Requirements of a query as conditions of SQL. Keys, paths and values are bound, never part of a statement's text."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, String, exists, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

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
    return JsonText(_JSON_COLUMNS[match[1]], literal(match[2].removeprefix(".")))


class JsonText(FunctionElement[str]):
    """A value inside stored JSON as the text that the wire shows; of a column and a path with dots."""

    type = String()
    inherit_cache = True


@compiles(JsonText, "sqlite")
def _in_sqlite(element: JsonText, compiler: SQLCompiler, **options: Any) -> str:
    column, path = (compiler.process(part, **options) for part in element.clauses)
    at = f"'$.' || {path}"
    # json_extract would give 1 for true
    return (
        f"(CASE json_type({column}, {at}) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"
        f" ELSE CAST(json_extract({column}, {at}) AS TEXT) END)"
    )


@compiles(JsonText, "postgresql")
def _in_postgresql(element: JsonText, compiler: SQLCompiler, **options: Any) -> str:
    column, path = (compiler.process(part, **options) for part in element.clauses)
    return f"(CAST({column} AS json) #>> string_to_array({path}, '.'))"


def _unknown_operator(requirement: Requirement, field: str) -> InvalidError:
    return InvalidError(f"{requirement.operator[:20]!r} is not an operator of a selector", field=field)
