"""Stores: lists in order, by selectors, in pages that hold everything once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sac_core.contracts.store import EVERYWHERE, Query, Record, Requirement, Scope, Store
from sac_core.errors import InvalidError
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.stores import MINE, StoreBase, insert, make


async def names(store: Store, scope: Scope, **query: Any) -> list[str]:
    """The names of the agents of a list."""
    return [record.name for record in (await store.read(scope).list("Agent", Query(**query))).items]


class Lists(StoreBase):
    @pytest.fixture
    async def stocked(self, store: Store) -> Store:
        """The store of this test, with seven things in it."""
        await insert(
            store,
            EVERYWHERE,
            make(
                "b", labels={"team": "red", "tier": "1"}, status={"phase": "Running"}, spec={"agent": "x", "on": True}
            ),
            make("a", labels={"team": "red", "tier": "2"}, spec={"agent": "y", "on": False, "size": {"cpu": 2}}),
            make("c", labels={"team": "blue"}),
            make("d"),
            make("a", tenant="zoo", labels={"team": "red"}),
            make("a", tenant="ant", labels={"team": "red"}),
            make("s", kind="Session", labels={"team": "red"}),
        )
        return store

    @promise("lists")
    async def test_a_list_is_in_order_and_has_a_version(self, stocked: Store) -> None:
        page = await stocked.read(MINE).list("Agent")
        assert [record.name for record in page.items] == ["a", "b", "c", "d"]
        assert (page.version, page.next) == (7, None)

    @promise("lists")
    async def test_an_empty_list_has_the_version_too(self, stocked: Store) -> None:
        page = await stocked.read(MINE).list("Task")
        assert (page.items, page.version, page.next) == ((), 7, None)

    @promise("lists")
    @pytest.mark.parametrize("labels", [(), (Requirement("team", "=", ("red",)),)])
    async def test_pages_hold_all_once(self, stocked: Store, labels: tuple[Requirement, ...]) -> None:
        whole = (await stocked.read(EVERYWHERE).list("Agent", Query(labels=labels))).items
        parts: list[Record] = []
        after = None
        while True:
            page = await stocked.read(EVERYWHERE).list("Agent", Query(labels=labels, limit=2, after=after))
            assert len(page.items) <= 2
            parts += page.items
            after = page.next
            if after is None:
                break
        assert tuple(parts) == whole
        assert [(record.tenant, record.name) for record in whole] == sorted((r.tenant, r.name) for r in whole)
        assert len(whole) == (4 if labels else 6)

    @promise("lists")
    async def test_a_page_that_ends_exactly_has_no_next(self, stocked: Store) -> None:
        page = await stocked.read(MINE).list("Agent", Query(limit=4))
        assert (len(page.items), page.next) == (4, None)

    @promise("lists")
    async def test_pages_go_on_when_the_last_thing_of_one_is_removed(self, stocked: Store) -> None:
        page = await stocked.read(MINE).list("Agent", Query(limit=2))
        async with stocked.transaction(MINE) as unit:
            await unit.remove(page.items[-1])
        assert await names(stocked, MINE, limit=2, after=page.next) == ["c", "d"]

    @promise("lists")
    @pytest.mark.parametrize("token", ["", "x", "bnVsbA", "WzEsMl0", "WyJhIl0", "Ü", "WyJhIiwiYiIsImMiXQ"])
    async def test_a_token_that_is_not_ours_is_refused(self, store: Store, token: str) -> None:
        with pytest.raises(InvalidError) as caught:
            await store.read(MINE).list("Agent", Query(limit=2, after=token))
        assert caught.value.field == "continue"

    @promise("lists")
    async def test_a_negative_limit_is_refused(self, store: Store) -> None:
        with pytest.raises(InvalidError):
            await store.read(MINE).list("Agent", Query(limit=-1))

    @promise("lists")
    @pytest.mark.parametrize(
        ("operator", "values", "wanted"),
        [
            ("=", ("red",), ["a", "b"]),
            ("!=", ("red",), ["c", "d"]),
            ("in", ("red", "blue"), ["a", "b", "c"]),
            ("notin", ("blue", "green"), ["a", "b", "d"]),
            ("in", (), []),
            ("notin", (), ["a", "b", "c", "d"]),
            ("exists", (), ["a", "b", "c"]),
            ("missing", (), ["d"]),
        ],
    )
    async def test_labels_select(
        self, stocked: Store, operator: str, values: tuple[str, ...], wanted: list[str]
    ) -> None:
        assert await names(stocked, MINE, labels=(Requirement("team", operator, values),)) == wanted

    @promise("lists")
    async def test_all_terms_hold(self, stocked: Store) -> None:
        terms = (Requirement("team", "=", ("red",)), Requirement("tier", "=", ("2",)))
        assert await names(stocked, MINE, labels=terms) == ["a"]
        running = (Requirement("status.phase", "=", ("Running",)),)
        assert await names(stocked, MINE, labels=terms[:1], fields=running) == ["b"]

    @promise("lists")
    @pytest.mark.parametrize(
        ("field", "operator", "values", "wanted"),
        [
            ("metadata.name", "=", ("c",), ["c"]),
            ("metadata.name", "!=", ("c",), ["a", "b", "d"]),
            ("status.phase", "=", ("Running",), ["b"]),
            ("spec.agent", "in", ("x", "y"), ["a", "b"]),
            ("spec.agent", "!=", ("x",), ["a", "c", "d"]),
            ("spec.agent", "missing", (), ["c", "d"]),
            ("spec.agent", "exists", (), ["a", "b"]),
            ("spec.on", "=", ("true",), ["b"]),
            ("spec.on", "=", ("false",), ["a"]),
            ("spec.size.cpu", "=", ("2",), ["a"]),
        ],
    )
    async def test_fields_select(
        self, stocked: Store, field: str, operator: str, values: tuple[str, ...], wanted: list[str]
    ) -> None:
        assert await names(stocked, MINE, fields=(Requirement(field, operator, values),)) == wanted

    @promise("lists")
    @pytest.mark.parametrize(
        "field", ["spec", "spec.", "uid", "spec.a'b", 'spec.a"b', "spec.a[0]", "meta.x", "spec..a", "launch.x"]
    )
    async def test_a_path_that_is_none_is_refused(self, store: Store, field: str) -> None:
        with pytest.raises(InvalidError) as caught:
            await names(store, MINE, fields=(Requirement(field, "=", ("x",)),))
        assert caught.value.field == "fieldSelector"

    @promise("lists")
    async def test_an_operator_that_is_none_is_refused(self, store: Store) -> None:
        for terms in ({"fields": (Requirement("spec.agent", "~"),)}, {"labels": (Requirement("a", "~"),)}):
            with pytest.raises(InvalidError, match="operator"):
                await names(store, MINE, **terms)

    @promise("lists")
    async def test_values_are_bound(self, stocked: Store) -> None:
        hostile = "x' OR '1'='1"
        assert await names(stocked, MINE, fields=(Requirement("spec.agent", "=", (hostile,)),)) == []
        assert await names(stocked, MINE, labels=(Requirement(hostile, "exists"),)) == []

    @promise("lists")
    async def test_labels_that_change_are_found_by_their_new_value(self, store: Store) -> None:
        [first] = await insert(store, MINE, make("a1", labels={"team": "red"}))
        async with store.transaction(MINE) as unit:
            await unit.update(replace(first, labels={"team": "blue"}))
        for value, count in (("red", 0), ("blue", 1)):
            page = await store.read(MINE).list("Agent", Query(labels=(Requirement("team", "=", (value,)),)))
            assert len(page.items) == count
