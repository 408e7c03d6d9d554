"""The statement of a list: one read of the things and of the version that they have together."""

from __future__ import annotations

from typing import Any

from sqlalchemy import FromClause, Select, literal, select, true, tuple_

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
    statement = _narrowed(_ordered(scope, kind, query), query)
    return statement.limit(query.limit + 1) if query.limit else statement


def _ordered(scope: Scope, kind: str, query: Query) -> Select[Any]:
    """In order and after the token: along the index of names, or of labels when the value of one is given."""
    anchor = next((term for term in query.labels if _is_anchor(term)), None)
    along: FromClause = resources if anchor is None else labels.alias("along")
    statement = select(*RECORD).where(*within(scope, resources.c.tenant), resources.c.kind == kind)
    if anchor is not None:
        statement = statement.select_from(along.join(resources, resources.c.uid == along.c.uid))
        statement = statement.where(
            along.c.kind == kind,
            along.c.key == anchor.key,
            along.c.value == anchor.values[0],
            *within(scope, along.c.tenant),
        )
    if query.after is not None:
        tenant, name = place_of(query.after)
        statement = statement.where(tuple_(along.c.tenant, along.c.name) > tuple_(literal(tenant), literal(name)))
    return statement.order_by(along.c.tenant, along.c.name)


def _is_anchor(term: Requirement) -> bool:
    return term.operator in ("=", "in") and len(term.values) == 1


def _narrowed(statement: Select[Any], query: Query) -> Select[Any]:
    statement = statement.where(*(label_condition(term) for term in query.labels))
    statement = statement.where(*(field_condition(term) for term in query.fields))
    if query.due_before is not None:
        statement = statement.where(resources.c.deadline <= to_micros(query.due_before))
    return statement
