"""Plugins are found one by one; a broken one is told and stops nothing but itself."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from sac_core.builtin.shell import SHELL
from sac_core.contracts.runtime import Runtime
from sac_core.errors import ConfigurationError, InvalidError
from sac_core.hooks import hookimpl
from sac_core.hooks.loader import load
from sac_core.hooks.records import RuntimePlugin
from sac_core.hooks.registry import Registry


def runtime(name: str, api: int = 1) -> RuntimePlugin:
    return RuntimePlugin(name=name, summary="", make=SHELL.make, api=api)


class Offers:
    """A plugin that offers runtimes."""

    def __init__(self, *offers: Any) -> None:
        self.offers = offers

    @hookimpl
    def sac_runtimes(self) -> list[Any]:
        return list(self.offers)


class Raises:
    """A plugin whose hook raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    @hookimpl
    def sac_runtimes(self) -> list[Any]:
        raise self.error


class Asynchronous:
    """A plugin with an async hook."""

    @hookimpl
    async def sac_runtimes(self) -> list[Any]:
        return []


class Misspelt:
    """A plugin that implements a hook which is none."""

    @hookimpl
    def sac_runtime(self) -> list[Any]:
        return []


def failure(registry: Registry) -> str:
    assert len(registry.failures) == 1
    return registry.failures[0].message


def test_what_sac_brings_comes_through_the_same_hooks() -> None:
    registry = load()
    assert {"process"} <= set(registry.executors)
    assert {"shell"} <= set(registry.runtimes)
    assert {"token"} <= set(registry.authenticators)
    assert {"agents", "sessions"} <= set(registry.kinds)
    assert registry.origins["executor", "process"].distribution == "sac-core"
    assert registry.failures == ()


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        (Raises(RuntimeError("boom")), "RuntimeError: boom"),
        (Raises(SystemExit(3)), "SystemExit: 3"),
        (Asynchronous(), "async"),
        (Misspelt(), "sac_runtime"),
        (Offers(SimpleNamespace(name="x")), "SimpleNamespace"),
        (Offers(runtime("acme", api=99)), "99"),
    ],
    ids=["raises", "exits", "async", "misspelt", "wrong record", "wrong api"],
)
def test_a_broken_plugin_is_told_and_the_others_work(plugin: object, told: str) -> None:
    registry = load(extra=[("broken", plugin), ("fine", Offers(runtime("fine")))])
    assert told in failure(registry)
    assert "fine" in registry.runtimes
    assert "process" in registry.executors


def test_the_same_name_twice_is_used_by_neither() -> None:
    clash = [("one", Offers(runtime("acme"))), ("two", Offers(runtime("acme")))]
    registry = load(extra=clash)
    assert "acme" not in registry.runtimes
    assert "one" in failure(registry)
    assert "two" in failure(registry)
    third = load(extra=[*clash, ("three", Offers(runtime("acme")))])
    assert "acme" not in third.runtimes


def test_a_stranger_cannot_take_a_builtin_name() -> None:
    registry = load(extra=[("evil", Offers(runtime("shell")))])
    assert "shell" not in registry.runtimes
    with pytest.raises(InvalidError, match="evil"):
        registry.runtime("shell")


def test_what_is_needed_must_load() -> None:
    with pytest.raises(ConfigurationError, match="not installed"):
        load(required=["acme"])
    with pytest.raises(ConfigurationError, match="boom"):
        load(required=["broken"], extra=[("broken", Raises(RuntimeError("boom")))])


def test_a_listener_that_raises_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    told: list[object] = []

    class Listens:
        @hookimpl
        def sac_agent_event(self, event: object) -> None:
            told.append(event)
            raise RuntimeError("boom")

    registry = load(extra=[("listens", Listens())])
    registry.tell("sac_agent_event", "event")
    assert told == ["event"]
    assert "boom" in caplog.text
    assert registry.told == {"sac_agent_event"}


def test_a_runtime_is_abstract_until_it_says_what_it_launches() -> None:
    with pytest.raises(TypeError):
        Runtime()  # type: ignore[abstract]


def test_importing_sac_core_loads_nothing_heavy() -> None:
    import subprocess

    heavy = ("pydantic", "sqlalchemy", "starlette", "httpx2", "pluggy", "anyio")
    code = f"import sys, sac_core; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
