"""The way of a body to one place outside: a socket that SAC carries, there again after a restart, to nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream

from live_server import until
from sac_core.builtin.shell import ShellRuntime
from sac_core.contracts.context import PluginContext
from sac_core.contracts.sac import Sac
from sac_core.core import Core, open_core
from sac_core.errors import LaunchError
from sac_core.hooks import hookimpl
from sac_core.hooks.records import ExecutorPlugin, RuntimePlugin
from sac_core.models.agent import Agent
from sac_core.models.base import Model
from sac_core.models.launch import Launch
from sac_core.models.outlet import Outlet
from sac_core.models.principal import LOCAL, Principal
from sac_core.settings import Settings
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_target import SimulatedTarget

BOB = Principal(kind="user", name="bob", permissions=frozenset({"*"}))
CALL = """
import os, socket, sys
with socket.socket(socket.AF_UNIX) as way:
    way.settimeout(15)
    os.chdir(os.path.dirname(os.environ["WAY"]))  # an address is short, a folder of tests is not
    way.connect(os.path.basename(os.environ["WAY"]))
    way.sendall(sys.argv[1].encode())
    way.shutdown(socket.SHUT_WR)
    while data := way.recv(65536):
        print(data.decode(), end="")
"""
"""A program in the body that says something through its outlet, and prints the answer."""


class PlaceOptions(Model):
    host: str = "127.0.0.1"
    port: int


class Caller(ShellRuntime):
    def launch(self, agent: Agent) -> Launch:
        made = super().launch(agent)
        chosen = PlaceOptions(**agent.spec.runtime_options)
        outlet = Outlet(name="place", variable="WAY", host=chosen.host, port=chosen.port)
        return made.model_copy(update={"binding": made.binding.model_copy(update={"outlets": (outlet,)})})


class Offers:
    @hookimpl
    def sac_runtimes(self) -> list[RuntimePlugin]:
        return [RuntimePlugin(name="caller", summary="Calls", make=Caller, options=PlaceOptions)]

    @hookimpl
    def sac_executors(self) -> list[ExecutorPlugin]:
        return [ExecutorPlugin(name="bare", summary="Has no holders", open=self.open)]

    @asynccontextmanager
    async def open(self, settings: object, context: PluginContext) -> AsyncIterator[SimulatedExecutor]:
        yield SimulatedExecutor(SimulatedTarget(), context.owner)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Core]:
    async with open_core(settings, plugins=[("caller", Offers())]) as core:
        yield core


@asynccontextmanager
async def place(answer: Callable[[SocketStream], Awaitable[None]]) -> AsyncIterator[int]:
    """A server on this machine; its port."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, answer)
            yield listener.extra(anyio.abc.SocketAttribute.local_port)
            tasks.cancel_scope.cancel()


def saying(word: str) -> Callable[[SocketStream], Awaitable[None]]:
    async def answer(stream: SocketStream) -> None:
        async with stream:
            heard = b"".join([data async for data in stream])  # to its end: then it is answered
            await stream.send(f"{word} {heard.decode()}\n".encode())

    return answer


async def running(sac: Sac, port: int, **options: Any) -> None:
    await sac.agents.create("a1", {"runtime": "caller", "runtimeOptions": {"port": port, **options}})
    await sac.agents.wait("a1", timeout=30)


async def called(sac: Sac, word: str = "hello") -> str:
    done = await sac.exec("a1", ["python3", "-c", CALL, word], timeout=40)
    return done.stdout or f"failed: {done.stderr.strip().splitlines()[-1] if done.stderr else ''}"


async def test_an_echo_through_the_server(settings: Settings) -> None:
    async with place(saying("echo")) as port, opened(settings) as core:
        sac = core.sac(LOCAL)
        await running(sac, port)
        assert await called(sac) == "echo hello\n"
        big = "x" * 100_000
        assert await called(sac, big) == f"echo {big}\n"


async def test_it_is_there_again_after_a_restart_of_the_server(settings: Settings) -> None:
    async with place(saying("echo")) as port:
        async with opened(settings) as core:
            await running(core.sac(LOCAL), port)
        async with opened(settings) as core:
            sac = core.sac(LOCAL)

            async def again() -> bool:
                return await called(sac) == "echo hello\n"

            await until(again, seconds=30)


async def test_a_changed_place_is_the_only_one(settings: Settings) -> None:
    async with place(saying("first")) as one, place(saying("second")) as other, opened(settings) as core:
        sac = core.sac(LOCAL)
        await running(sac, one)
        assert await called(sac) == "first hello\n"
        holder = (await sac.exec("a1", ["sh", "-c", "echo $PPID"])).stdout
        await sac.agents.patch("a1", {"spec": {"runtimeOptions": {"port": other}}})

        async def changed() -> bool:
            return await called(sac) == "second hello\n"

        await until(changed, seconds=30)
        assert (await sac.exec("a1", ["sh", "-c", "echo $PPID"])).stdout == holder  # and nothing was restarted


async def test_a_place_that_is_not_there_is_told_in_the_timeline(settings: Settings) -> None:
    async with opened(settings) as core:
        sac = core.sac(LOCAL)
        await running(sac, 1)
        assert (await called(sac)).startswith("failed: ")

        async def told() -> bool:
            causes = (await sac.agents.timeline("a1")).items
            return any(
                "its way to 127.0.0.1:1" in cause.text and "Connection refused" in cause.text for cause in causes
            )

        await until(told)


@pytest.mark.parametrize("known", [False, True])
async def test_others_than_the_local_user_reach_public_places_alone(settings: Settings, known: bool) -> None:
    async with place(saying("echo")) as port:
        places = (f"127.0.0.1:{port}",) if known else ("127.0.0.1:1", "localhost")
        async with opened(settings.model_copy(update={"private_endpoints": places})) as core:
            sac = core.sac(BOB)
            await running(sac, port)
            assert (await called(sac) == "echo hello\n") is known


async def test_a_body_without_a_holder_is_refused(settings: Settings) -> None:
    async with opened(settings) as core:
        sac = core.sac(LOCAL)
        await sac.agents.create("a1", {"runtime": "caller", "executor": "bare", "runtimeOptions": {"port": 1}})
        with pytest.raises(LaunchError, match="no way to SAC") as failed:
            await sac.agents.wait("a1", timeout=30)
        assert failed.value.reason == "Unsupported"


async def test_the_socket_goes_with_the_outlet(settings: Settings) -> None:
    async with place(saying("echo")) as port, opened(settings) as core:
        sac = core.sac(LOCAL)
        await running(sac, port)
        there = (await sac.exec("a1", ["sh", "-c", "test -S $WAY && echo $WAY"])).stdout.strip()
        assert there.endswith("/outlet-place.sock")
        await sac.agents.patch("a1", {"spec": {"runtime": "shell", "runtimeOptions": None}})

        async def gone() -> bool:
            return (await sac.exec("a1", ["test", "-e", there])).code == 1

        await until(gone, seconds=30)
        assert (await sac.exec("a1", ["printenv", "WAY"])).code == 1


async def test_many_calls_at_once(settings: Settings) -> None:
    async with place(saying("echo")) as port, opened(settings) as core:
        sac = core.sac(LOCAL)
        await running(sac, port)
        answers: list[str] = []

        async def call(number: int) -> None:
            answers.append(await called(sac, str(number)))

        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(call, number)
    assert sorted(answers) == [f"echo {number}\n" for number in range(8)]
