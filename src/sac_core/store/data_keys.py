"""The wrapped data keys of tenants, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Select, bindparam, func, insert, literal, select, tuple_, update

from sac_core.contracts.sealing import DataKey, DataKeys
from sac_core.store.connection import Run, Writer
from sac_core.store.tables import data_keys

_TENANT = data_keys.c.tenant == bindparam("this_tenant")
_VERSION = data_keys.c.version == bindparam("this_version")
_ALL = select(data_keys.c.tenant, data_keys.c.version, data_keys.c.root, data_keys.c.wrapped)
_NEWEST = _ALL.where(_TENANT).order_by(data_keys.c.version.desc()).limit(1)
_GET = _ALL.where(_TENANT, _VERSION)
_REPLACE = (
    update(data_keys).where(_TENANT, _VERSION, data_keys.c.root == bindparam("old_root")).returning(data_keys.c.version)
)
_COUNT = select(data_keys.c.root, func.count()).group_by(data_keys.c.root)


class SqlDataKeys(DataKeys):
    """Data keys in their table."""

    def __init__(self, run: Run, writer: Writer) -> None:
        self._run = run
        self._writer = writer

    async def newest(self, tenant: str) -> DataKey | None:
        return await self._one(_NEWEST, {"this_tenant": tenant})

    async def get(self, tenant: str, version: int) -> DataKey | None:
        return await self._one(_GET, {"this_tenant": tenant, "this_version": version})

    async def add(self, key: DataKey) -> None:
        async with self._writer.transaction() as transaction:
            await transaction.run(insert(data_keys), asdict(key))

    async def replace(self, old: DataKey, new: DataKey) -> bool:
        this = {"this_tenant": old.tenant, "this_version": old.version, "old_root": old.root}
        async with self._writer.transaction() as transaction:
            return bool(await transaction.run(_REPLACE, {**this, "root": new.root, "wrapped": new.wrapped}))

    async def not_under(self, root: str, *, after: tuple[str, int], limit: int) -> list[DataKey]:
        place = (data_keys.c.tenant, data_keys.c.version)
        rest = tuple_(*place) > tuple_(*map(literal, after))
        others = _ALL.where(data_keys.c.root != root, rest).order_by(*place).limit(limit)
        return [DataKey(*row) for row in await self._run(others)]

    async def count(self) -> Mapping[str, int]:
        rows: Sequence[tuple[str, int]] = await self._run(_COUNT)
        return dict(rows)

    async def _one(self, statement: Select[tuple[str, int, str, bytes]], values: dict[str, object]) -> DataKey | None:
        rows = await self._run(statement, values)
        return DataKey(*rows[0]) if rows else None
