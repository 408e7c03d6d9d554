"""The suite catches every broken executor, by the test that is meant for it."""

from __future__ import annotations

import importlib
import inspect
from typing import NamedTuple

import pytest

from sac_core.contracts.executor import Executor
from sac_core.testing.executor_suite import ExecutorContract

broken, broken_bodies, broken_processes = map(importlib.import_module, ("broken", "broken_bodies", "broken_processes"))

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

ALSO = {
    "broken_bodies.ListsLate": (
        "test_a_body_is_listed_as_soon_as_ensure_returns",
        "test_a_body_that_starts_slowly_is_listed_meanwhile",
        "test_bodies_and_observe_agree_on_every_state",
    ),
    "broken.ListsRunningOnly": ("test_a_body_that_was_killed_is_listed",),
    "broken.Restarter": ("test_a_newer_generation_of_the_same_hash_does_not_restart",),
    "broken.AcceptsOlder": (
        "test_an_older_generation_is_refused_by_ensure",
        "test_an_older_generation_is_refused_by_stop",
    ),
    "broken.SecondBody": ("test_nothing_of_a_replaced_body_lives_on",),
    "broken.ForgetsCancelled": ("test_a_cancelled_ensure_never_leaves_an_unlisted_body_behind",),
    "broken.TouchesForeign": ("test_bodies_of_another_owner_are_not_seen",),
    "broken.SecretInLabel": ("test_secrets_are_in_no_observation_label_or_record",),
    "broken_bodies.RemembersGenerations": ("test_a_body_made_again_after_delete_is_new",),
    "broken_bodies.TellsNoReason": ("test_a_body_that_cannot_start_says_why",),
    "broken_bodies.RaisesForNothing": ("test_what_was_never_made_is_absent",),
    "broken_bodies.ClaimsMore": (
        "test_a_claimed_holder_is_there",
        "test_the_probe_is_reachable_and_claims_known_capabilities",
    ),
    "broken_bodies.HintsNothing": ("test_watch_hints_at_changes",),
    "broken_bodies.BuildsInSilence": ("test_an_image_is_built_and_a_body_runs_in_it",),
    "broken_bodies.BuildsAnything": ("test_a_build_that_fails_is_told_as_ours",),
    "broken_bodies.DialsNowhere": ("test_capabilities_that_are_not_claimed_are_unsupported",),
    "broken_bodies.DialsEverything": (
        "test_a_port_that_is_not_declared_is_not_reached",
        "test_a_port_where_nothing_listens_is_not_ready",
        "test_the_port_of_no_body_is_lost",
    ),
    "broken_bodies.DialsOnce": ("test_many_streams_carry_their_own_bytes_to_the_end",),
    "broken_bodies.DialsTheDeaf": ("test_a_declared_port_is_reached",),
    "broken_bodies.TripsOverOptions": ("test_a_launch_that_cannot_work_fails_as_ours",),
    "broken_bodies.TripsOverEnded": ("test_failures_on_ended_bodies_are_ours",),
    "broken_bodies.RefusesTooLate": ("test_a_refused_change_leaves_the_body_as_it_was",),
    "broken_bodies.FindsByName": ("test_a_name_is_only_a_label",),
    "broken_bodies.LabelsOnce": ("test_bodies_carry_all_labels",),
    "broken_bodies.ListsAll": ("test_bodies_of_another_owner_are_not_seen",),
    "broken_bodies.CleansUp": ("test_what_has_no_owner_label_is_left_alone",),
    "broken_bodies.ShowsEnvironment": ("test_the_environment_of_a_process_is_not_exposed",),
    "broken_bodies.TellsSecrets": ("test_secrets_are_in_no_exception",),
    "broken_bodies.WaitsForGone": ("test_delete_does_not_wait_for_the_end",),
    "broken_bodies.WaitsForOld": ("test_ensure_does_not_wait_for_the_end_of_what_it_replaces",),
    "broken_bodies.EndsAtClose": ("test_leaving_the_context_leaves_bodies_alone",),
    "broken_bodies.LeavesEnded": (
        "test_an_ended_body_is_started_again_by_ensure",
        "test_nothing_of_a_killed_body_lives_beside_the_next",
    ),
    "broken_bodies.SharesCall": ("test_different_keys_at_once_do_not_disturb_each_other",),
    "broken_bodies.StopIsDelete": (
        "test_a_stopped_body_is_kept_and_started_again",
        "test_stopping_what_is_absent_makes_nothing",
    ),
    "broken_bodies.NoFiles": (
        "test_files_of_secrets_are_there_for_processes",
        "test_a_new_body_has_the_files_it_was_made_with",
    ),
    "broken_bodies.DeletesInSteps": ("test_a_cancelled_delete_is_simply_made_again",),
    "broken_bodies.ReplacesInSteps": ("test_a_cancelled_replacement_never_makes_two",),
    "broken_processes.LosesTail": ("test_the_exit_comes_after_the_last_byte",),
    "broken_processes.RunsIdTwice": ("test_a_cancelled_open_process_is_never_a_second_process",),
    "broken_processes.NeverDrops": (
        "test_a_reader_that_stops_does_not_stop_a_dropping_process",
        "test_a_terminal_drops_too",
    ),
    "broken_processes.KeepsAll": (
        "test_block_lets_the_process_wait",
        "test_drop_never_lets_the_process_wait_and_keeps_little",
    ),
    "broken_processes.TakesAllInput": (
        "test_writing_to_a_process_that_does_not_read_waits",
        "test_writing_after_the_end_is_lost",
    ),
    "broken_processes.TextInput": (
        "test_input_comes_back_identical",
        "test_100_mb_in_and_back_are_identical",
        "test_an_archive_in_and_back_is_identical",
    ),
    "broken_processes.InventsExit": ("test_a_path_that_is_not_there_is_named",),
    "broken_processes.NoTerminals": (
        "test_a_terminal_merges_both",
        "test_a_terminal_has_the_size_it_is_given",
        "test_control_c_interrupts_what_a_terminal_runs",
    ),
    "broken_processes.ExpectsOutput": (
        "test_a_process_without_output_ends_too",
        "test_output_since_an_offset_begins_there",
    ),
    "broken_processes.ForgetsEof": ("test_the_end_of_input_reaches_the_process",),
    "broken_processes.OpensStdin": (
        "test_a_process_without_stdin_reads_nothing",
        "test_the_environment_reaches_the_process",
    ),
    "broken_processes.KnowsOneSignal": (
        "test_a_signal_ends_it_and_is_named",
        "test_resize_without_a_terminal_is_unsupported",
        "test_a_missing_program_is_a_clear_answer",
    ),
    "broken_processes.ClosesTheWrongWay": (
        "test_closing_ends_it_and_may_be_repeated",
        "test_detaching_leaves_it_running",
        "test_an_archive_that_is_left_in_the_middle_leaves_no_process",
    ),
    "broken_processes.ClosesIfLet": ("test_closing_completes_though_cancelled",),
    "broken_processes.RaisesAsItComes": ("test_a_command_that_cannot_work_fails_as_ours",),
}
"""More tests, by executors that break what they check; together with `CAUGHT_BY` that is every test of the suite."""

MODULE = """
import broken, {module}

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestBroken(broken.BrokenContract):
    broken = {module}.{name}
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


def planted(pytester: pytest.Pytester, where: str) -> None:
    """A test module with the whole suite on one broken executor."""
    module, _, name = where.rpartition(".")
    pytester.makepyfile(MODULE.format(module=module, name=name))


@pytest.mark.parametrize(("name", "caught"), CAUGHT_BY.items())
def test_a_broken_executor_is_caught_by_its_test(configured: pytest.Pytester, name: str, caught: Caught) -> None:
    planted(configured, f"broken_processes.{name}" if hasattr(broken_processes, name) else f"broken.{name}")
    result = configured.runpytest_inprocess("-k", caught.test, "-p", "no:cacheprovider")
    assert result.parseoutcomes().get("failed", 0) >= 1
    result.stdout.fnmatch_lines([f"E *{caught.why}*", "level reached: none", f"FAILED *{caught.test}*"])


@pytest.mark.parametrize(("where", "tests"), ALSO.items())
def test_it_is_caught_by_every_test_that_is_meant_for_it(
    configured: pytest.Pytester, where: str, tests: tuple[str, ...]
) -> None:
    planted(configured, where)
    result = configured.runpytest_inprocess("-k", " or ".join(tests), "-p", "no:cacheprovider")
    failed = {line.split("::")[-1].partition(" ")[0].partition("[")[0] for line in result.outlines if "FAILED" in line}
    assert set(tests) <= failed


def test_every_test_of_the_suite_catches_something() -> None:
    tests = {name for name, _ in inspect.getmembers(ExecutorContract, inspect.isfunction) if name.startswith("test_")}
    caught = {each.test for each in CAUGHT_BY.values()} | {test for tests in ALSO.values() for test in tests}
    assert tests - caught == set()
    assert caught - tests == set()


def test_every_broken_executor_is_tried() -> None:
    tried = {where.rpartition(".")[2] for where in (*CAUGHT_BY, *ALSO)}
    for module in (broken, broken_bodies, broken_processes):
        own = [cls for cls in vars(module).values() if isinstance(cls, type) and cls.__module__ == module.__name__]
        executors = {cls.__name__ for cls in own if issubclass(cls, Executor)} - {"Unhandy"}
        assert executors <= tried
