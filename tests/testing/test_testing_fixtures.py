"""Small fixtures: as strict as what they stand for."""

from __future__ import annotations

import socket
from datetime import timedelta

import anyio
import anyio.lowlevel
import pytest

from sac_core.errors import ConflictError
from sac_core.testing import fixtures
from sac_core.testing.clock import SimulatedClock
from sac_core.testing.fixtures import MemoryState, eventually, temporary_context, unused_port


async def test_state_compares_and_sets() -> None:
    state = MemoryState()
    first = await state.put("k", {"n": 1}, expected=0)
    with pytest.raises(ConflictError):
        await state.put("k", {"n": 2}, expected=0)
    second = await state.put("k", {"n": 2}, expected=first.version)
    with pytest.raises(ConflictError):
        await state.put("k", {"n": 3}, expected=first.version)
    assert await state.get("k") == second


async def test_state_is_taken_once() -> None:
    state = MemoryState()
    await state.put("k", {})
    assert await state.take("k") is not None
    assert await state.take("k") is None
    await state.delete("k")


async def test_state_expires_by_the_given_clock() -> None:
    clock = SimulatedClock()
    state = MemoryState(clock.now)
    await state.put("k", {}, ttl=10.0)
    clock.advance(9.9)
    assert await state.get("k") is not None
    clock.advance(0.1)
    assert await state.get("k") is None
    await state.put("k", {}, expected=0)


async def test_the_folder_of_a_context_goes_with_it() -> None:
    with temporary_context() as context, temporary_context() as other:
        (context.folder / "file").write_text("x")
        assert context.owner != other.owner
        assert context.now().utcoffset() == timedelta(0)
    assert not context.folder.exists()


async def test_eventually_returns_what_came_true_and_says_what_did_not() -> None:
    answers = iter([0, 0, 3])
    assert await eventually(lambda: next(answers)) == 3

    async def never() -> str:
        await anyio.lowlevel.checkpoint()
        return ""

    with pytest.raises(AssertionError, match="the door did not come true"):
        await eventually(never, 0.05, describe="the door")


def test_an_unused_port_can_be_bound() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", unused_port()))


def test_an_unused_port_stays_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system gives it to nobody, no other worker draws it, and neither does this one again."""
    given: dict[str, set[int]] = {}
    for worker in ("gw0", "gw1", "gw3"):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        given[worker] = {unused_port() for _ in range(200)}
        assert len(given[worker]) == 200
    together = set[int]().union(*given.values())
    assert len(together) == 600
    assert max(together) < 32768


def test_a_port_that_somebody_has_is_not_unused(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        taken = listener.getsockname()[1]
        monkeypatch.setattr(fixtures, "_PORTS", range(taken, taken + 1))
        with pytest.raises(AssertionError, match="no port"):
            unused_port()
