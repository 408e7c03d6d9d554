"""Plugins with every sin (fault F36), as modules of their own: the host and the others go on, and the sin is told."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from live_server import until
from sac_core.contracts.authenticator import Credentials
from sac_core.contracts.sac import PluginInfo, Sac
from sac_core.core import guard, hosting, open_core, stage_guard, watchdog
from sac_core.core.wiring import Core
from sac_core.errors import UnauthenticatedError, UnavailableError
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings

EXECUTOR = """
import asyncio, sys, time
from contextlib import asynccontextmanager
from sac_core.hooks import hookimpl
from sac_core.hooks.records import ExecutorPlugin
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_target import SimulatedTarget

class Sinner(SimulatedExecutor):
    pass
{methods}

@asynccontextmanager
async def open_sinner(settings, context):
{opening}

@hookimpl
def sac_executors():
    return [ExecutorPlugin(name="sinner", summary="Sins", open=open_sinner)]
"""
OPENING = "    yield Sinner(SimulatedTarget(), context.owner)"


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder from which modules are imported, and forgotten afterwards."""
    folder = tmp_path / "planted"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(hosting, "OPEN_DEADLINE", 2.0)
    monkeypatch.setattr(hosting, "CLOSE_DEADLINE", 2.0)
    monkeypatch.setattr(guard, "CALL_DEADLINE", 1.5)
    monkeypatch.setattr(guard, "SIGN_IN_DEADLINE", 1.5)
    monkeypatch.setattr(guard, "PAUSE", 1.0)
    yield folder
    for name in [name for name in sys.modules if name.startswith("sin_")]:
        del sys.modules[name]


@asynccontextmanager
async def sinning(planted: Path, settings: Settings, text: str) -> AsyncIterator[Core]:
    """A core with the plugin of that text."""
    name = f"sin_{time.monotonic_ns()}"
    (planted / f"{name}.py").write_text(text)
    importlib.invalidate_caches()
    async with open_core(settings, plugins=[("sinner", importlib.import_module(name))]) as core:
        yield core


def executor(methods: str = "", opening: str = OPENING) -> str:
    return EXECUTOR.format(methods=methods, opening=opening)


async def sinner(core: Core, family: str = "executor") -> PluginInfo:
    found = {plugin.family: plugin for plugin in await core.sac(LOCAL).plugins() if plugin.name == "sinner"}
    return found[family]


async def end(tasks: set[asyncio.Task[object]]) -> None:
    """What a plugin leaks ends with the loop; in a test that is later."""
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def others_go_on(sac: Sac) -> None:
    """An agent of the process executor runs and goes."""
    await sac.agents.create("other", {"executor": "process"})
    assert (await sac.agents.wait("other", timeout=40)).status.phase == "Running"
    await sac.agents.delete("other")
    await sac.agents.wait("other", "absent", timeout=40)


@pytest.mark.parametrize(
    ("opening", "reason"),
    [
        ("    await asyncio.sleep(3600)\n    yield", "it did not open within 2 s (at 2"),
        ("    raise ValueError('no engine')\n    yield", "ValueError: no engine (at 2"),
        ("    sys.exit(3)\n    yield", "SystemExit: 3 (at 2"),
        ("    yield 'a word'", "TypeError: it opened a str, not a Executor (at 2"),
        ("    if False:\n        yield", "RuntimeError: generator didn't yield (at 2"),
        (
            "    asyncio.current_task().cancel()\n    await asyncio.sleep(1)\n    yield",
            "RuntimeError: it cancelled itself",
        ),
    ],
    ids=["hangs", "raises", "exits", "another thing", "nothing", "cancels itself"],
)
async def test_what_does_not_open_is_told_with_the_time(
    planted: Path, settings: Settings, opening: str, reason: str
) -> None:
    began = time.monotonic()
    async with sinning(planted, settings, executor(opening=opening)) as core:
        assert time.monotonic() - began < 12
        told = await sinner(core)
        assert told.state == "failed"
        assert told.message.startswith(reason)
        await others_go_on(core.sac(LOCAL))


async def test_several_that_hang_hold_up_the_start_once(planted: Path, settings: Settings) -> None:
    many = executor(opening="    await asyncio.sleep(3600)\n    yield").replace(
        'return [ExecutorPlugin(name="sinner", summary="Sins", open=open_sinner)]',
        'return [ExecutorPlugin(name=f"sinner{n}", summary="Sins", open=open_sinner) for n in range(8)]',
    )
    began = time.monotonic()
    async with sinning(planted, settings, many) as core:
        assert time.monotonic() - began < 12
        found = [plugin for plugin in await core.sac(LOCAL).plugins() if plugin.name.startswith("sinner")]
        assert [plugin.state for plugin in found] == ["failed"] * 8


async def test_who_holds_up_the_event_loop_is_named(planted: Path, settings: Settings) -> None:
    methods = "    async def observe(self, key):\n        time.sleep(0.4)\n        return await super().observe(key)\n"
    async with sinning(planted, settings, executor(methods)) as core:
        await core.sac(LOCAL).agents.create("slow", {"executor": "sinner"})

        async def told() -> PluginInfo | None:
            seen = await sinner(core)
            return seen if "held up" in seen.message else None

        told_of = await until(told)
        assert told_of.message.startswith("held up the event loop for 0.")
        assert "observe (sin_" in told_of.message
        await others_go_on(core.sac(LOCAL))


async def test_a_loop_that_turns_accuses_nobody(planted: Path, settings: Settings) -> None:
    async with sinning(planted, settings, executor()) as core:
        await core.sac(LOCAL).agents.create("quick", {"executor": "sinner"})
        await core.sac(LOCAL).agents.wait("quick", timeout=40)
        assert (await sinner(core)).state == "loaded"


async def test_a_busy_machine_is_nobodys_fault(
    planted: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "queued_for", lambda task: time.monotonic())  # it waits for a processor all the time
    methods = "    async def observe(self, key):\n        time.sleep(0.4)\n        return await super().observe(key)\n"
    async with sinning(planted, settings, executor(methods)) as core:
        await core.sac(LOCAL).agents.create("slow", {"executor": "sinner"})
        await core.sac(LOCAL).agents.wait("slow", timeout=40)
        assert (await sinner(core)).state == "loaded"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise ValueError('canary-of-a-secret')", "ensure raised ValueError"),
        ("sys.exit(1)", "ensure raised SystemExit"),
        ("await asyncio.sleep(3600)", "did not answer ensure within 1.5 s"),
        ("asyncio.current_task().cancel(); await asyncio.sleep(1)", "ensure raised SelfCancelledError"),
    ],
    ids=["raises", "exits", "hangs", "cancels itself"],
)
async def test_a_call_that_goes_wrong_is_told_and_harms_no_other(
    planted: Path, settings: Settings, body: str, told: str
) -> None:
    methods = f"    async def ensure(self, key, launch, secrets):\n        {body}\n"
    async with sinning(planted, settings, executor(methods)) as core:
        sac = core.sac(LOCAL)
        for number in range(20):  # more than the reconciler looks at in one moment
            await sac.agents.create(f"stuck{number}", {"executor": "sinner"})
        await others_go_on(sac)

        async def seen() -> PluginInfo | None:
            plugin = await sinner(core)
            return plugin if plugin.state == "troubled" else None

        trouble = await until(seen)
        assert told in trouble.message
        assert "canary" not in trouble.message
        shown = (await sac.agents.get("stuck0")).model_dump_json()
        assert "canary" not in shown


async def test_a_call_that_lets_nobody_cancel_it_is_left_to_itself(planted: Path, settings: Settings) -> None:
    methods = """
    async def ensure(self, key, launch, secrets):
        while not hasattr(sys, "let_go"):
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass
"""
    before = asyncio.all_tasks()
    async with sinning(planted, settings, executor(methods)) as core:
        await core.sac(LOCAL).agents.create("stubborn", {"executor": "sinner"})

        async def told() -> bool:
            return "did not answer ensure" in (await sinner(core)).message

        await until(told)
        await others_go_on(core.sac(LOCAL))
        began = time.monotonic()
    assert time.monotonic() - began < 12
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "let_go", True, raising=False)
        await end(asyncio.all_tasks() - before)


@pytest.mark.parametrize("body", ["raise ValueError('x')", "sys.exit(1)", "asyncio.current_task().cancel()"])
async def test_hints_that_go_wrong_cost_no_body(planted: Path, settings: Settings, body: str) -> None:
    methods = f"""
    async def watch(self):
        {body}
        await asyncio.sleep(0)
        yield
"""
    async with sinning(planted, settings, executor(methods)) as core:
        await core.sac(LOCAL).agents.create("a1", {"executor": "sinner"})
        await core.sac(LOCAL).agents.wait("a1", timeout=40)
        await others_go_on(core.sac(LOCAL))


async def test_a_task_that_dies_behind_an_executor_takes_only_that_with_it(planted: Path, settings: Settings) -> None:
    opening = """
    import anyio
    async def poll():
        await asyncio.sleep(0.3)
        raise KeyError("poller")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(poll)
        yield Sinner(SimulatedTarget(), context.owner)
"""
    async with sinning(planted, settings, executor(opening=opening)) as core:

        async def failed() -> PluginInfo | None:
            plugin = await sinner(core)
            return plugin if plugin.state == "failed" else None

        # where SAC took longer than the task lived, the end is what its probe met
        assert "it ended by itself: KeyError: 'poller' (at 2" in (await until(failed)).message
        await core.sac(LOCAL).agents.create("late", {"executor": "sinner"})
        await others_go_on(core.sac(LOCAL))


@pytest.mark.parametrize(
    "closing",
    ["await asyncio.sleep(3600)", "raise OSError('stuck')", "sys.exit(2)", "asyncio.create_task(asyncio.sleep(3600))"],
    ids=["hangs", "raises", "exits", "leaks"],
)
async def test_stopping_works_whatever_a_plugin_does_at_its_end(
    planted: Path, settings: Settings, closing: str
) -> None:
    opening = f"    try:\n    {OPENING}\n    finally:\n        task = {closing}\n".replace("task = raise", "raise")
    before = asyncio.all_tasks()
    async with sinning(planted, settings, executor(opening=opening)) as core:
        await others_go_on(core.sac(LOCAL))
        began = time.monotonic()
    assert time.monotonic() - began < 12
    await end(asyncio.all_tasks() - before)


LISTENER = """
import sys
from sac_core.hooks import hookimpl

@hookimpl
def sac_agent_event(event):
    {body}
"""


@pytest.mark.parametrize("body", ["raise ValueError('x')", "sys.exit(1)"])
async def test_a_listener_that_goes_wrong_is_told(planted: Path, settings: Settings, body: str) -> None:
    async with sinning(planted, settings, LISTENER.format(body=body)) as core:
        await others_go_on(core.sac(LOCAL))
        assert "sac_agent_event raised" in (await sinner(core, "listener")).message


STAGE = """
import asyncio, sys
from contextlib import asynccontextmanager
from sac_core.contracts.stage import Seat, Stage
from sac_core.hooks import hookimpl
from sac_core.hooks.records import StagePlugin

class Place(Seat):
    async def take(self, events):
        {take}

    async def aclose(self):
        {close}

class Sinner(Stage):
    def need(self, session):
        {need}
        return "best_effort"

    async def begin(self, session):
        {begin}
        return Place()

@asynccontextmanager
async def open_sinner(settings, context):
    yield Sinner()

@hookimpl
def sac_session_stages():
    return [StagePlugin(name="sinner", summary="Sins", open=open_sinner)]
"""


SINS = {
    "raises": "raise ValueError('canary-of-a-secret')",
    "exits": "sys.exit(1)",
    "hangs": "await asyncio.sleep(3600)",
}


@pytest.mark.parametrize(
    ("method", "body"),
    [
        pytest.param(method, body, id=f"{method} {name}")
        for method in ("need", "begin", "take", "close")
        for name, body in SINS.items()
        if (method, name) != ("need", "hangs")  # it is no coroutine; who blocks there is named by the watchdog
    ],
)
async def test_a_stage_that_goes_wrong_is_told_and_sessions_go_on(
    planted: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, method: str, body: str
) -> None:
    monkeypatch.setattr(stage_guard, "DEADLINE", 1.0)
    parts = dict.fromkeys(("need", "begin", "take", "close"), "pass") | {method: body}
    async with sinning(planted, settings, STAGE.format(**parts)) as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("a1")
        await sac.agents.wait("a1", timeout=40)
        session = await sac.sessions.create("a1", command=["sh", "-c", "echo here; read go"])
        async with sac.sessions.attach(session.metadata.name) as terminal:
            await terminal.write(b"\n")

        async def told() -> str | None:
            plugin = await sinner(core, "stage")
            return plugin.message if plugin.state == "troubled" else None

        message = await until(told)
        assert {"need": "need", "begin": "begin", "take": "take", "close": "aclose"}[method] in message
        assert "canary" not in message
        await sac.agents.delete("a1")
        await sac.agents.wait("a1", "absent", timeout=40)


RUNTIME = """
import sys
from sac_core.builtin.shell import ShellRuntime
from sac_core.hooks import hookimpl
from sac_core.hooks.records import RuntimePlugin

class Sinner(ShellRuntime):
    def launch(self, agent):
        {body}

@hookimpl
def sac_runtimes():
    return [RuntimePlugin(name="sinner", summary="Sins", make=Sinner)]
"""


@pytest.mark.parametrize("body", ["raise ValueError('x')", "sys.exit(1)", "return 'a word'"])
async def test_a_runtime_that_goes_wrong_fails_the_request(planted: Path, settings: Settings, body: str) -> None:
    async with sinning(planted, settings, RUNTIME.format(body=body)) as core:
        with pytest.raises(UnavailableError, match="no error of SAC's"):
            await core.sac(LOCAL).agents.create("a1", {"runtime": "sinner"})
        assert (await sinner(core, "runtime")).state == "troubled"
        await others_go_on(core.sac(LOCAL))


AUTHENTICATOR = """
import asyncio, sys
from contextlib import asynccontextmanager
from sac_core.contracts.authenticator import Authenticator
from sac_core.hooks import hookimpl
from sac_core.hooks.records import AuthenticatorPlugin

class Sinner(Authenticator):
    async def authenticate(self, credentials):
        {body}

@asynccontextmanager
async def open_sinner(settings, context):
    yield Sinner()

@hookimpl
def sac_authenticators():
    return [AuthenticatorPlugin(name="sinner", summary="Sins", open=open_sinner)]
"""


@pytest.mark.parametrize("body", ["raise ValueError('x')", "sys.exit(1)", "await asyncio.sleep(3600)"])
async def test_an_authenticator_that_goes_wrong_opens_and_closes_no_door(
    planted: Path, settings: Settings, body: str
) -> None:
    async with sinning(planted, settings, AUTHENTICATOR.format(body=body)) as core:
        token = (settings.data_dir / "token").read_text()
        with anyio.fail_after(15):
            assert await core.authenticate(Credentials(bearer=token)) == LOCAL
            with pytest.raises(UnavailableError):
                await core.authenticate(Credentials(bearer="somebody else's"))
            with pytest.raises(UnauthenticatedError):
                await core.authenticate(Credentials())
        assert (await sinner(core, "authenticator")).state == "troubled"
