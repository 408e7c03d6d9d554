"""The statement of a list: one read of the things and of the version that they have together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, literal, select, true, tuple_

from sac_core.contracts.store import Query, Requirement, Scope
from sac_core.errors import InvalidError
from sac_core.store.pages import place_of
from sac_core.store.records import FIELDS, to_micros
from sac_core.store.scope import within
from sac_core.store.selectors import field_condition, label_condition
from sac_core.store.tables import counter, labels, resources

RECORD = tuple(resources.c[name] for name in FIELDS)


def listing(scope: Scope, kind: str, query: Query) -> Select[Any]:
    """Rows of the version and then a record's columns; one row with an empty record when there is none.

    One more than ``limit`` is read, which tells whether there is a next page. Both parts are one statement and so one
    snapshot: a watch that goes on after the version misses nothing and repeats nothing.
    """
    found = _matching(scope, kind, query).subquery("found")
    return select(counter.c.rv, found).select_from(counter.outerjoin(found, true()))


def _matching(scope: Scope, kind: str, query: Query) -> Select[Any]:
    if query.limit < 0:
        raise InvalidError("a limit is not negative", field="limit", hint="0 means all")
    anchor = next((term for term in query.labels if _is_anchor(term)), None)
    along = resources if anchor is None else labels.alias("along")
    statement = select(*RECORD).where(resources.c.kind == kind, *within(scope, resources.c.tenant))
    if anchor is not None:
        statement = statement.join(along, along.c.uid == resources.c.uid)
        statement = statement.where(*_anchored(scope, kind, anchor, along))
    statement = statement.where(*_conditions(query, anchor))
    return _part(statement, query, _order(scope, along))


def _is_anchor(term: Requirement) -> bool:
    return term.operator in ("=", "in") and len(term.values) == 1


def _anchored(scope: Scope, kind: str, anchor: Requirement, along: FromClause) -> list[ColumnElement[bool]]:
    """Walk the index of labels, in whose order the names of one label's value are."""
    value = anchor.values[0]
    return [along.c.kind == kind, along.c.key == anchor.key, along.c.value == value, *within(scope, along.c.tenant)]


def _conditions(query: Query, anchor: Requirement | None) -> Iterator[ColumnElement[bool]]:
    yield from (label_condition(term) for term in query.labels if term is not anchor)
    yield from (field_condition(term) for term in query.fields)
    if query.due_before is not None:
        yield resources.c.deadline <= to_micros(query.due_before)
    if query.owner is not None:
        yield resources.c.owner_server == query.owner


def _order(scope: Scope, along: FromClause) -> list[ColumnElement[str]]:
    """Of one tenant the name alone: SQLite would sort what follows a known tenant."""
    return [along.c.tenant, along.c.name] if scope.everywhere else [along.c.name]


def _part(statement: Select[Any], query: Query, order: list[ColumnElement[str]]) -> Select[Any]:
    """The part after the token, in order, and one row more than asked for."""
    if query.after is not None:
        place = place_of(query.after)[-len(order) :]
        statement = statement.where(tuple_(*order) > tuple_(*map(literal, place)))
    statement = statement.order_by(*order)
    return statement.limit(query.limit + 1) if query.limit else statement
