"""The suite catches every broken executor, by the test that is meant for it."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CAUGHT_BY = {
    "SecondBody": "test_ensuring_twice_is_one_body_without_a_restart",
    "Restarter": "test_another_instance_finds_the_body_and_does_not_restart_it",
    "TwoAlive": "test_a_new_hash_replaces_with_never_two_alive",
    "AcceptsOlder": "test_an_older_generation_is_refused_by_delete",
    "ListsRunningOnly": "test_an_exited_body_is_listed_with_its_exit",
    "TouchesForeign": "test_bodies_of_another_owner_are_not_touched",
    "LeaksTask": "test_no_task_outlives_the_context",
    "BlocksLoop": "test_no_method_blocks_the_event_loop",
    "WaitsForRunning": "test_ensure_does_not_wait_for_running",
    "ForgetsCancelled": "test_a_cancelled_ensure_leaves_nothing_unlisted",
    "LosesTail": "test_nothing_is_lost_at_the_end",
    "InventsExit": "test_exit_codes_arrive_again_and_again",
    "MergesStreams": "test_stdout_and_stderr_stay_apart_and_exact",
    "LosesWhatWaits": "test_block_loses_nothing_to_a_slow_reader",
    "RunsIdTwice": "test_the_same_id_is_the_same_process",
    "SecretInLabel": "test_labels_carry_no_secret",
    "IgnoresWishes": "test_what_cannot_be_honoured_is_refused",
    "RaisesVendors": "test_failures_on_absent_bodies_are_ours",
    "LeavesBody": "test_absent_is_success_and_delete_leaves_nothing",
}

MODULE = """
import broken

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestBroken(broken.BrokenContract):
    broken = broken.{name}
"""


@pytest.fixture
def configured(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\nanyio_mode = auto\nfilterwarnings = error\n")
    return pytester


@pytest.mark.parametrize(("name", "test"), CAUGHT_BY.items())
def test_a_broken_executor_is_caught_by_its_test(configured: pytest.Pytester, name: str, test: str) -> None:
    configured.makepyfile(MODULE.format(name=name))
    result = configured.runpytest_inprocess("-k", test, "-p", "no:cacheprovider")
    assert result.parseoutcomes().get("failed", 0) >= 1
    result.stdout.fnmatch_lines(["level reached: none", f"FAILED *{test}*"])
