"""The one place where a scope becomes SQL: every statement on things of tenants is built through here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Delete, Select, Update, bindparam

from sac_core.contracts.store import Scope

S = TypeVar("S", Select[Any], Update, Delete)


def within(scope: Scope, *tenants: ColumnElement[str]) -> list[ColumnElement[bool]]:
    """The conditions that keep a statement inside a scope; ``tenants`` are the tenant columns of all its tables."""
    return [] if scope.everywhere else [tenant == scope.tenant for tenant in tenants]


@dataclass(frozen=True, slots=True)
class Scoped(Generic[S]):
    """A statement built once, in its two forms: for one tenant and for all."""

    narrow: S
    wide: S

    def of(self, scope: Scope) -> S:
        return self.wide if scope.everywhere else self.narrow

    @staticmethod
    def parameters(scope: Scope) -> dict[str, str]:
        return {} if scope.everywhere else {"scope_tenant": scope.tenant}


def scoped(statement: S, tenant: ColumnElement[str]) -> Scoped[S]:
    """Both forms of a statement, by the tenant column of its table."""
    return Scoped(narrow=statement.where(tenant == bindparam("scope_tenant")), wide=statement)
