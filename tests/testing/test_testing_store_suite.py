"""The suite of stores catches every broken one, and has no test that nobody breaks."""

from __future__ import annotations

import importlib
import inspect

import pytest

from sac_core.testing.store_suite import StoreContract
from wrapped_store import WrappedStore

pytest_plugins = ["pytester"]

CAUGHT_BY: dict[str, tuple[str, ...]] = {
    "broken_stores.DropsMeta": ("test_every_field_comes_back",),
    "broken_stores.Overwrites": (
        "test_a_name_is_taken_once_per_tenant_and_kind",
        "test_a_uid_is_taken_for_ever",
        "test_a_taken_name_leaves_the_unit_usable",
    ),
    "broken_stores.KeepsLabels": (
        "test_update_writes_all_but_identity",
        "test_labels_that_change_are_found_by_their_new_value",
    ),
    "broken_stores.LastWins": ("test_a_stale_update_names_the_current_version",),
    "broken_stores.TakesAnything": (
        "test_a_name_never_changes",
        "test_text_that_is_not_unicode_is_refused",
        "test_numbers_that_json_lacks_are_refused",
    ),
    "broken_stores.DefersByUpdate": ("test_defer_is_no_change",),
    "broken_stores.RemovesSoftly": ("test_removed_is_gone_and_its_name_is_free",),
    "broken_stores.SeesAll": ("test_another_tenants_things_are_not_there",),
    "broken_stores.ReadsItsOwn": ("test_a_unit_reads_in_another_scope",),
    "broken_stores.TakesFirst": ("test_a_name_in_two_tenants_wants_a_tenant",),
    "broken_stores.CommitsAnyway": (
        "test_a_unit_that_raises_leaves_nothing",
        "test_a_unit_that_is_cancelled_leaves_nothing",
        "test_nothing_is_told_of_a_change_that_was_not_made",
    ),
    "broken_stores.ReadersWait": ("test_readers_do_not_wait_and_do_not_see_what_is_not_committed",),
    "broken_stores.KeepsTickets": ("test_who_is_cancelled_while_it_waits_for_its_turn_leaves_nothing",),
    "broken_stores.ClosesQuietly": ("test_a_closed_store_says_so",),
    "broken_stores.ReadsBeside": ("test_a_unit_sees_its_own_writes",),
    "broken_stores.Backwards": ("test_a_list_is_in_order_and_has_a_version",),
    "broken_stores.VersionOfItems": ("test_an_empty_list_has_the_version_too",),
    "broken_stores.SkipsOne": ("test_pages_hold_all_once",),
    "broken_stores.AlwaysMore": ("test_a_page_that_ends_exactly_has_no_next",),
    "broken_stores.PagesByNumber": ("test_pages_go_on_when_the_last_thing_of_one_is_removed",),
    "broken_stores.Forgives": (
        "test_a_token_that_is_not_ours_is_refused",
        "test_a_negative_limit_is_refused",
        "test_a_path_that_is_none_is_refused",
        "test_an_operator_that_is_none_is_refused",
    ),
    "broken_stores.NeedsLabel": ("test_labels_select",),
    "broken_stores.FirstTerm": ("test_all_terms_hold",),
    "broken_stores.PythonsWords": ("test_fields_select",),
    "broken_stores.Splices": ("test_values_are_bound",),
    "broken_ledgers.TellsLast": ("test_each_write_is_told_once_in_order",),
    "broken_ledgers.TellsNewest": ("test_a_limit_gives_the_oldest",),
    "broken_ledgers.TellsAllKinds": ("test_kinds_and_tenants_are_kept_apart",),
    "broken_ledgers.NeverExpires": (
        "test_what_was_forgotten_is_expired",
        "test_a_version_of_the_future_is_expired",
    ),
    "broken_ledgers.WakesLate": ("test_waiting_ends_with_the_commit",),
    "broken_ledgers.NeverWaits": ("test_waiting_ends_at_once_or_after_its_time",),
    "broken_ledgers.LosesSome": ("test_following_while_many_write_misses_nothing",),
    "broken_ledgers.DeletesOnce": ("test_put_get_delete",),
    "broken_ledgers.SharesState": ("test_plugins_do_not_meet",),
    "broken_ledgers.PutsAlways": ("test_compare_and_set",),
    "broken_ledgers.CountsAgain": ("test_an_old_version_never_comes_back", "test_state_is_durable_and_no_change"),
    "broken_ledgers.KeepsState": ("test_expiry",),
    "broken_ledgers.TakesInSteps": ("test_of_many_that_take_one_gets_it",),
    "broken_ledgers.ForgetsWhy": ("test_a_cause_comes_back_whole",),
    "broken_ledgers.CountsInPlace": ("test_what_happens_again_moves_to_the_end",),
    "broken_ledgers.ForgetsNothing": ("test_what_is_old_is_forgotten", "test_single_causes_are_forgotten"),
    "broken_ledgers.FirstOfName": (
        "test_a_name_means_the_newest_agent_of_it_and_a_uid_exactly_one",
        "test_the_newest_key_is_that_of_its_kind",
    ),
    "broken_ledgers.TellsEveryone": ("test_another_tenants_timeline_is_not_found",),
    "broken_ledgers.KeepsFirstValue": ("test_a_value_is_kept_beside_its_record_and_goes_with_it",),
    "broken_ledgers.TellsValue": ("test_a_value_is_in_no_change_and_lost_with_its_unit",),
    "broken_ledgers.AddsKeysAgain": (
        "test_data_keys_are_kept_once_and_found_by_what_wrapped_them",
        "test_a_data_key_is_wrapped_again_by_one_of_two",
    ),
    "broken_ledgers.ChunksBackwards": ("test_chunks_come_back_in_order",),
    "broken_ledgers.TwoRecorders": ("test_of_two_that_record_one_session_one_goes_on",),
}
FORGETS = "test_what_is_written_survives_a_restart"
MODULE = """
import wrapped_store, broken_stores, broken_ledgers

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestBroken(wrapped_store.BrokenContract):
    {body}
"""


def failed(pytester: pytest.Pytester, body: str, tests: tuple[str, ...]) -> set[str]:
    """Which of these tests fail for a class with that body."""
    pytester.makeini("[pytest]\nanyio_mode = auto\nfilterwarnings = error\n")
    pytester.makepyfile(MODULE.format(body=body))
    result = pytester.runpytest_inprocess("-k", " or ".join(tests), "-p", "no:cacheprovider", "-p", "no:timeout")
    lines = [line for line in result.outlines if line.startswith("FAILED ")]
    return {line.split(" - ")[0].split("::")[-1].partition("[")[0] for line in lines}


def test_a_wrapper_alone_changes_nothing(pytester: pytest.Pytester) -> None:
    assert failed(pytester, "pass", ("test_",)) == set()


@pytest.mark.parametrize(("where", "tests"), CAUGHT_BY.items())
def test_a_broken_store_is_caught_by_its_tests(pytester: pytest.Pytester, where: str, tests: tuple[str, ...]) -> None:
    assert set(tests) <= failed(pytester, f"broken = {where}", tests)


def test_one_that_forgets_at_a_restart_is_caught(pytester: pytest.Pytester) -> None:
    forgets = "file = lambda self, place: place / f\"{len(list(place.glob('*.db')))}.db\""
    assert failed(pytester, forgets, (FORGETS,)) == {FORGETS}


def test_every_test_of_the_suite_catches_something() -> None:
    tests = {name for name, _ in inspect.getmembers(StoreContract, inspect.isfunction) if name.startswith("test_")}
    caught = {FORGETS} | {test for tests in CAUGHT_BY.values() for test in tests}
    assert tests - caught == set()
    assert caught - tests == set()


def test_every_broken_store_is_tried() -> None:
    for name in ("broken_stores", "broken_ledgers"):
        own = [cls for cls in vars(importlib.import_module(name)).values() if isinstance(cls, type)]
        stores = {f"{name}.{cls.__name__}" for cls in own if issubclass(cls, WrappedStore) and cls.__module__ == name}
        assert stores - set(CAUGHT_BY) <= {"broken_ledgers.StateOf", "broken_ledgers.Teller"}
