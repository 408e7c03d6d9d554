"""Pure transitions: what an end means, how long to wait, which condition holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sac_core.models import transitions
from sac_core.models.agent import FAILED_REASONS, AgentSpec, AgentStatus
from sac_core.models.lifecycle import CRASH_LOOP_AFTER, after_exit, ended_reason, failed_reason, restart_delay, settled
from sac_core.models.process import Exit

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spec", "exit", "expected"),
    [
        ({"lifetime": "run"}, Exit(code=0), "completed"),
        ({"lifetime": "run"}, Exit(code=1), "failed"),
        ({"lifetime": "run"}, None, "failed"),
        ({"lifetime": "run", "restart": "always"}, Exit(code=0), "completed"),
        ({"restart": "always"}, Exit(code=0), "restart"),
        ({"restart": "always"}, None, "restart"),
        ({"restart": "on-failure"}, Exit(code=0), "completed"),
        ({"restart": "on-failure"}, Exit(signal="KILL"), "restart"),
        ({"restart": "on-failure"}, None, "restart"),
        ({"restart": "never"}, Exit(code=0), "completed"),
        ({"restart": "never"}, Exit(code=2), "failed"),
    ],
)
def test_what_follows_an_end(spec: dict[str, object], exit: Exit | None, expected: str) -> None:
    assert after_exit(AgentSpec.model_validate(spec), exit) == expected


def test_delays_double_up_to_a_minute() -> None:
    assert [restart_delay(n) for n in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert restart_delay(10**6) == 60


def test_reasons_are_of_the_closed_list() -> None:
    assert failed_reason("OutOfMemory") == "OutOfMemory"
    for reason in ("", "SomethingElse"):
        assert failed_reason(reason) == "ExecutorError"


@pytest.mark.parametrize(
    ("reason", "exit", "expected"),
    [
        ("", Exit(code=3), "Exited"),
        ("", Exit(signal="KILL"), "Exited"),
        ("", Exit(signal="KILL", reason="OutOfMemory"), "OutOfMemory"),
        ("Evicted", Exit(code=137), "Evicted"),
        ("SomethingElse", Exit(code=3), "Exited"),
        ("", None, "Lost"),
    ],
)
def test_one_end_is_no_crash_loop(reason: str, exit: Exit | None, expected: str) -> None:
    assert ended_reason(reason, exit) == expected
    assert expected in FAILED_REASONS


def test_a_crash_loop_is_failed_and_still_tried() -> None:
    status, delays = AgentStatus(phase="Running", running_at=NOW), []
    for _ in range(CRASH_LOOP_AFTER + 1):
        status, delay = transitions.restart_later(status, NOW, "Lost", "it ended", exit=None, jitter=1.0)
        delays.append(delay)
    assert (status.phase, status.reason) == ("Failed", "CrashLoop")
    assert status.next_attempt == NOW + timedelta(seconds=delays[-1])
    assert delays == sorted(delays)
    assert not settled(status, 0)


def test_running_long_enough_ends_a_row_of_restarts() -> None:
    status = AgentStatus(phase="Running", restarts=9, running_at=NOW - timedelta(hours=1))
    again, delay = transitions.restart_later(status, NOW, "Lost", "it ended", exit=None, jitter=1.0)
    assert (again.restarts, delay) == (1, 1.0)


def test_a_condition_keeps_its_time_until_it_changes() -> None:
    later = NOW + timedelta(minutes=1)
    status = transitions.reachable(AgentStatus(), NOW)
    status = transitions.reachable(status, later)
    assert status.conditions[0].last_transition_time == NOW
    status = transitions.unreachable(status, later, "no answer")
    assert status.conditions[0].last_transition_time == later
    assert status.phase == "Pending"


def test_running_again_keeps_since_when() -> None:
    status = transitions.running(AgentStatus(), NOW, "h")
    assert transitions.running(status, NOW + timedelta(minutes=1), "h") == status
