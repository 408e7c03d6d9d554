"""The suites of runtimes, authenticators and stages catch every broken one, and leave nothing that nobody breaks."""

from __future__ import annotations

import importlib
import inspect

import pytest

from sac_core.testing.conversation_suite import ConversationContract
from sac_core.testing.promises.authenticators import AuthenticatorContract
from sac_core.testing.promises.runtimes import RuntimeContract
from sac_core.testing.stage_suite import StageContract

pytest_plugins = ["pytester"]

CAUGHT_BY = {
    "broken_authenticators.TakesForeign": "test_credentials_of_another_kind_are_none",
    "broken_authenticators.WorksOnce": "test_valid_credentials_are_the_same_principal_each_time",
    "broken_authenticators.ForgivesExpiry": "test_invalid_credentials_are_refused",
    "broken_authenticators.LooksAtHalf": "test_a_changed_token_is_nobodys",
    "broken_authenticators.MakesSystem": "test_principals_are_well_formed",
    "broken_authenticators.TripsOverBytes": "test_hostile_tokens_are_refused_in_our_words",
    "broken_authenticators.TellsToken": "test_no_secret_is_in_an_error",
    "broken_authenticators.LogsToken": "test_no_secret_is_logged_or_shown",
    "broken_authenticators.BlocksLoop": "test_no_answer_blocks_the_event_loop",
    "broken_authenticators.KeepsLock": "test_a_cancelled_answer_changes_nothing",
    "broken_authenticators.SharesAnswer": "test_many_at_once_get_their_own_answers",
    "broken_authenticators.LeaksTask": "test_no_task_outlives_the_context",
    "broken_conversations.BeginsInSilence": "test_a_turn_is_whole",
    "broken_conversations.NamesEachTurn": "test_turns_are_of_one_conversation",
    "broken_conversations.TalksAtOnce": "test_one_turn_at_a_time",
    "broken_conversations.ForgetsLeaving": "test_a_turn_that_was_left_is_the_last",
    "broken_conversations.FailsInSilence": "test_a_failed_turn_says_why",
    "broken_conversations.DiesOfCancel": "test_a_cancelled_turn_says_so_and_the_next_goes_on",
    "broken_conversations.GoesOn": "test_a_cancelled_turn_says_so_and_the_next_goes_on",
    "broken_conversations.TripsOverNothing": "test_cancelling_nothing_is_harmless",
    "broken_conversations.ResumesAnother": "test_a_conversation_is_resumed",
    "broken_conversations.ForgetsCancelled": "test_a_cancelled_conversation_is_resumed",
    "broken_conversations.MakesUp": "test_what_was_never_said_is_not_resumed",
    "broken_conversations.DoesNothing": "test_what_is_allowed_is_done",
    "broken_conversations.DoesAnyway": "test_what_is_refused_is_not_done",
    "broken_conversations.HearsTooLate": "test_a_question_ends_with_its_turn",
    "broken_conversations.TripsOverAnswers": "test_an_answer_that_nobody_asked_for_is_harmless",
    "broken_runtimes.TellsTime": "test_the_same_agent_gets_the_same_answer",
    "broken_runtimes.ChangesAgent": "test_the_agent_is_left_as_it_is",
    "broken_runtimes.ReadsFile": "test_it_does_no_input_or_output",
    "broken_runtimes.Slow": "test_it_is_quick",
    "broken_runtimes.GivesOnePlace": "test_places_are_of_the_contract",
    "broken_runtimes.GivesWords": "test_answers_are_of_the_contract",
    "broken_runtimes.HashesGeneration": "test_a_launch_carries_the_generation_and_no_other_hash_for_it",
    "broken_runtimes.ForgetsRestart": "test_restarting_changes_the_hash",
    "broken_runtimes.DropsPorts": "test_no_field_of_a_spec_is_dropped",
    "broken_runtimes.HashesEnvironment": "test_the_environment_is_bound_and_not_hashed",
    "broken_runtimes.BindsNothing": "test_the_environment_is_bound_and_not_hashed",
    "broken_runtimes.NamesAnotherField": "test_what_is_wrong_is_refused_by_its_field",
    "broken_stages.ChangesMind": "test_the_answer_for_a_session_stays_the_same",
    "broken_stages.AsksDisk": "test_asking_does_no_input_or_output",
    "broken_stages.BeginsBehindHeader": "test_a_new_session_begins_at_its_first_byte",
    "broken_stages.ForgetsOffset": "test_what_was_taken_is_not_asked_for_again",
    "broken_stages.CountsSizes": "test_a_size_moves_no_offset",
    "broken_stages.CountsBytes": "test_a_gap_is_passed",
    "broken_stages.ForgetsEnd": "test_the_end_is_taken_once",
    "broken_stages.NeedsOutput": "test_a_session_without_a_byte_ends_too",
    "broken_stages.KeepsInMemory": "test_another_instance_goes_on_where_the_first_was",
    "broken_stages.LeavesOnce": "test_a_seat_is_left_any_number_of_times",
    "broken_stages.ReadsText": "test_every_byte_is_kept_in_its_order",
    "broken_stages.FlushesAtEnd": "test_nothing_is_lost_or_repeated_over_restarts",
    "broken_stages.PlaceBeforeOutput": "test_a_cancelled_take_loses_and_repeats_nothing",
    "broken_stages.SlowForEach": "test_a_full_backlog_is_taken_in_time",
    "broken_stages.BlocksLoop": "test_no_take_blocks_the_event_loop",
    "broken_stages.SharesPlace": "test_sessions_at_the_same_time_are_kept_apart",
    "broken_stages.LeaksTask": "test_no_task_outlives_the_context",
    "broken_stages.LogsOutput": "test_no_output_is_logged_or_shown",
}
_SOUND = ("Good", "BrokenContract", "World")
MODULE = """
import {module}

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestBroken({module}.BrokenContract):
    broken = {module}.{name}
"""


def run(pytester: pytest.Pytester, cls: str) -> pytest.RunResult:
    """The whole suite on one class, where nothing is configured but that warnings are errors."""
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    module, _, name = cls.partition(".")
    pytester.makepyfile(MODULE.format(module=module, name=name))
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:timeout")


def failed(result: pytest.RunResult) -> set[str]:
    """The names of the tests that failed, without parameters."""
    names = [line.split(" - ")[0].split("::")[-1] for line in result.outlines if line.startswith("FAILED ")]
    return {name.partition("[")[0] for name in names}


@pytest.mark.parametrize(
    "cls",
    [
        "broken_authenticators.GoodAuthenticator",
        "broken_conversations.GoodConversation",
        "broken_runtimes.GoodRuntime",
        "broken_stages.GoodStage",
    ],
)
def test_what_keeps_its_promises_passes_whole(pytester: pytest.Pytester, cls: str) -> None:
    result = run(pytester, cls)
    assert set(result.parseoutcomes()) == {"passed"}
    result.stdout.fnmatch_lines(["level reached: full"])


@pytest.mark.parametrize(("cls", "test"), CAUGHT_BY.items())
def test_a_broken_one_is_caught_by_its_test(pytester: pytest.Pytester, cls: str, test: str) -> None:
    result = run(pytester, cls)
    assert test in failed(result), result.outlines
    result.stdout.fnmatch_lines(["level reached: none"])


def test_every_test_of_a_suite_catches_something() -> None:
    for suite in (AuthenticatorContract, ConversationContract, RuntimeContract, StageContract):
        tests = {name for name, _ in inspect.getmembers(suite, inspect.isfunction) if name.startswith("test_")}
        assert tests <= set(CAUGHT_BY.values())


def test_every_broken_one_is_tried() -> None:
    for name in ("broken_authenticators", "broken_conversations", "broken_runtimes", "broken_stages"):
        module = importlib.import_module(name)
        own = [cls for cls in vars(module).values() if isinstance(cls, type) and cls.__module__ == name]
        broken = {f"{name}.{cls.__name__}" for cls in own if not cls.__name__.startswith(_SOUND)}
        assert broken <= set(CAUGHT_BY)
