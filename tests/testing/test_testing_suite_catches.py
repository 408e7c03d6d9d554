"""The suite catches every broken executor, by the test that is meant for it."""

from __future__ import annotations

from typing import NamedTuple

import pytest

pytest_plugins = ["pytester"]


class Caught(NamedTuple):
    """By which test, and what that says."""

    test: str
    why: str


CAUGHT_BY = {
    "SecondBody": Caught(
        "test_ensuring_twice_is_one_body_without_a_restart", "a repeated ensure restarted the body or made another"
    ),
    "Restarter": Caught(
        "test_another_instance_finds_the_body_and_does_not_restart_it", "a restart of SAC restarted the body"
    ),
    "TwoAlive": Caught("test_a_new_hash_replaces_with_never_two_alive", "two bodies were alive at once"),
    "AcceptsOlder": Caught("test_an_older_generation_is_refused_by_delete", "DID NOT RAISE ConflictError"),
    "ListsRunningOnly": Caught("test_an_exited_body_is_listed_with_its_exit", "bodies() does not list an exited body"),
    "TouchesForeign": Caught("test_bodies_of_another_owner_are_not_touched", "more beats of foreign did not come"),
    "LeaksTask": Caught("test_no_task_outlives_the_context", "outlive the executor's context"),
    "BlocksLoop": Caught("test_no_method_blocks_the_event_loop", "these block the event loop every time: {'observe'"),
    "WaitsForRunning": Caught("test_ensure_does_not_wait_for_running", "TimeoutError"),
    "ForgetsCancelled": Caught(
        "test_a_cancelled_ensure_leaves_nothing_unlisted", "a body beats that bodies() does not list"
    ),
    "LosesTail": Caught("test_nothing_is_lost_at_the_end", "bytes instead of 100000; from byte"),
    "InventsExit": Caught("test_exit_codes_arrive_again_and_again", "Exit(code=0"),
    "MergesStreams": Caught("test_stdout_and_stderr_stay_apart_and_exact", "assert {'stdout'}"),
    "LosesWhatWaits": Caught("test_block_loses_nothing_to_a_slow_reader", "output at 0 is missing"),
    "RunsIdTwice": Caught("test_the_same_id_is_the_same_process", "the same id was started twice"),
    "SecretInLabel": Caught("test_labels_carry_no_secret", "canary"),
    "DeliversOnce": Caught("test_other_files_are_delivered_without_a_restart", "the body still has the old file"),
    "IgnoresWishes": Caught("test_what_cannot_be_honoured_is_refused", "DID NOT RAISE UnsupportedError"),
    "RaisesVendors": Caught("test_failures_on_absent_bodies_are_ours", "VendorError"),
    "LeavesBody": Caught("test_absent_is_success_and_delete_leaves_nothing", "a deleted body left"),
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


def test_a_stranger_needs_no_configuration(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n")
    pytester.makepyfile(
        """
        from sac_core.testing.simulated_contract import SimulatedExecutorContract

        class TestStranger(SimulatedExecutorContract):
            level = "core"
        """
    )
    # pytest-timeout is this repository's choice, no need of a stranger.
    result = pytester.runpytest_inprocess("-p", "no:timeout", "-p", "no:cacheprovider", "-k", "twice or 100_mb")
    result.assert_outcomes(passed=1, skipped=1, deselected=result.parseoutcomes()["deselected"])


@pytest.mark.parametrize(("name", "caught"), CAUGHT_BY.items())
def test_a_broken_executor_is_caught_by_its_test(configured: pytest.Pytester, name: str, caught: Caught) -> None:
    configured.makepyfile(MODULE.format(name=name))
    result = configured.runpytest_inprocess("-k", caught.test, "-p", "no:cacheprovider")
    assert result.parseoutcomes().get("failed", 0) >= 1
    result.stdout.fnmatch_lines([f"E *{caught.why}*", "level reached: none", f"FAILED *{caught.test}*"])
