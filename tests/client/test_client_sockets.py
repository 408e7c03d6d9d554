from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

import sac_core
from sac_core.client.surface import HttpSac
from sac_core.client.terminal import ACK_EVERY
from sac_core.errors import DeadlineError, ExpiredError, ForbiddenError, LaunchError, LostError, NotFoundError
from sac_core.models.change import Change, Synced
from sac_core.models.process import Exit
from sac_core.wire.terminal import Exited, Gap, Output, RoleChanged

Serving = Callable[..., AbstractAsyncContextManager[str]]
Script = Callable[[WebSocket], Awaitable[None]]
TOKEN = "sixteen-letters-or-more"


@asynccontextmanager
async def scripted(serving: Serving, path: str, script: Script, *routes: Route) -> AsyncGenerator[HttpSac]:
    async def endpoint(socket: WebSocket) -> None:
        await socket.accept(socket["subprotocols"][0])
        await script(socket)

    async with serving([WebSocketRoute(path, endpoint), *routes]) as url:
        async with sac_core.connect(url, TOKEN) as sac:
            yield sac


ATTACH = "/api/v1/sessions/s/attach"


async def attached(socket: WebSocket, role: str = "control", offset: int = 0) -> None:
    await socket.send_json({"type": "attached", "offset": offset, "session": "s", "role": role})
    assert (await socket.receive_json())["type"] == "ack"


async def test_a_terminal_counts_offsets_over_output_and_gaps(serving: Serving) -> None:
    async def script(socket: WebSocket) -> None:
        assert dict(socket.query_params) == {"since": "5", "mode": "view"}
        assert socket.headers["authorization"] == f"Bearer {TOKEN}"
        await attached(socket, "view", 5)
        await socket.send_bytes(b"abc")
        await socket.send_json({"type": "gap", "from": 8, "to": 100})
        await socket.send_bytes(b"d")
        await socket.send_json({"type": "role", "role": "control"})
        await socket.send_json({"type": "exit", "code": 3})
        await socket.close()

    async with scripted(serving, ATTACH, script) as sac:
        async with sac.sessions.attach("s", since=5, mode="view") as terminal:
            with pytest.raises(ForbiddenError):
                await terminal.write(b"x")
            events = [event async for event in terminal]
    assert events == [Output(5, b"abc"), Gap(8, 100), Output(100, b"d"), RoleChanged("control"), Exited(3)]
    assert (terminal.offset, terminal.role) == (101, "control")


async def test_a_paste_is_cut_into_pieces_that_the_server_takes(serving: Serving) -> None:
    got: list[bytes] = []

    async def script(socket: WebSocket) -> None:
        await attached(socket)
        while sum(map(len, got)) < 200_000:
            got.append(await socket.receive_bytes())
        await socket.send_json({"type": "exit", "code": 0})

    paste = bytes(range(256)) * 800
    async with scripted(serving, ATTACH, script) as sac, sac.sessions.attach("s") as terminal:
        await terminal.write(paste)
        assert [event async for event in terminal] == [Exited(0)]
    assert b"".join(got) == paste
    assert max(map(len, got)) <= 64 * 1024


async def test_output_is_acknowledged_when_it_was_iterated_over_unless_the_caller_acks(serving: Serving) -> None:
    acks: list[int] = []

    async def script(socket: WebSocket) -> None:
        await attached(socket)
        for _ in range(2):
            await socket.send_bytes(b"x" * ACK_EVERY)
            acks.append((await socket.receive_json())["offset"])
        await socket.send_bytes(b"x" * ACK_EVERY)
        await socket.send_json({"type": "exit", "code": 0})

    async with scripted(serving, ATTACH, script) as sac, sac.sessions.attach("s") as terminal:
        async for event in terminal:
            if isinstance(event, Output) and event.offset == ACK_EVERY:
                await terminal.ack(7)
    assert acks == [ACK_EVERY, 7]


@pytest.mark.parametrize(
    ("code", "error"),
    [(1012, LostError), (1001, LostError), (1000, LostError), (4404, NotFoundError), (4403, ForbiddenError)],
)
async def test_the_close_code_says_which_error(serving: Serving, code: int, error: type[Exception]) -> None:
    async def script(socket: WebSocket) -> None:
        await attached(socket)
        await socket.send_bytes(b"abc")
        await socket.close(code)

    async with scripted(serving, ATTACH, script) as sac, sac.sessions.attach("s") as terminal:
        events = aiter(terminal)
        assert await anext(events) == Output(0, b"abc")
        with pytest.raises(error):
            await anext(events)
    assert terminal.offset == 3


async def test_a_refused_socket_raises_the_problem_and_a_redirect_is_not_followed(serving: Serving) -> None:
    opened: list[str] = []

    async def endpoint(socket: WebSocket) -> None:
        name = socket.path_params["name"]
        opened.append(name)
        problem = JSONResponse({"title": "NotFound", "detail": "no such session"}, status_code=404)
        await socket.send_denial_response(RedirectResponse("gone") if name == "away" else problem)

    async with serving([WebSocketRoute("/api/v1/sessions/{name}/attach", endpoint)]) as url:
        async with sac_core.connect(url, TOKEN) as sac:
            for name, error in (("gone", "no such session"), ("away", "answered 307")):
                with pytest.raises(sac_core.SacError, match=error):
                    await sac.sessions.attach(name).__aenter__()
    assert opened == ["gone", "away"]


EXEC = "/api/v1/agents/a/exec"


async def test_exec_keeps_streams_apart_and_tells_the_exit(serving: Serving) -> None:
    async def script(socket: WebSocket) -> None:
        assert await socket.receive_json() == {"argv": ["cat"], "env": {"A": "b"}, "stdin": True}
        assert await socket.receive_json() == {"type": "ack", "bytes": 0}
        assert await socket.receive_bytes() == b"\0in"
        assert await socket.receive_json() == {"type": "eof"}
        assert await socket.receive_json() == {"type": "signal", "name": "INT"}
        await socket.send_bytes(b"\1out")
        await socket.send_bytes(b"\2err")
        await socket.send_json({"type": "exit", "signal": "INT"})

    async with scripted(serving, EXEC, script) as sac:
        async with sac.open_exec("a", ["cat"], env={"A": "b"}) as running:
            await running.write(b"in")
            await running.eof()
            await running.signal("INT")
            chunks = [(chunk.stream, chunk.offset, chunk.data) async for chunk in running.output()]
            assert await running.wait() == Exit(signal="INT")
    assert chunks == [("stdout", 0, b"out"), ("stderr", 3, b"err")]


async def test_a_command_that_cannot_start_is_the_servers_error(serving: Serving) -> None:
    async def script(socket: WebSocket) -> None:
        await socket.send_json({"type": "error", "reason": "NotReady", "message": "the agent does not run"})
        await socket.close(4400)

    async with scripted(serving, EXEC, script) as sac, sac.open_exec("a", ["x"]) as running:
        with pytest.raises(sac_core.SacError, match="does not run") as caught:
            await running.wait()
    assert type(caught.value).__name__ == "NotReadyError"


async def test_an_exit_already_there_is_not_hidden_by_an_acknowledgement_that_fails(serving: Serving) -> None:
    async def script(socket: WebSocket) -> None:
        await socket.receive()
        await socket.send_bytes(b"\1" + b"x" * 200_000)
        await socket.send_json({"type": "exit", "code": 4})
        await socket.close()

    async with scripted(serving, EXEC, script) as sac, sac.open_exec("a", ["x"]) as running:
        size = 0
        async for chunk in running.output():
            size += len(chunk.data)
            await anyio.sleep(0.2)  # the close arrives meanwhile
        assert (size, await running.wait()) == (200_000, Exit(4))


EVENTS = "/api/v1/events"


def changed(verb: str, version: int, phase: str = "Pending", uid: str = "u1", generation: int = 1) -> dict[str, Any]:
    metadata = {"name": "a", "uid": uid, "generation": generation}
    status = {"phase": phase, "observedGeneration": 1, "message": "because", "reason": "CrashLoop"}
    return {
        "type": verb,
        "version": str(version),
        "object": {"kind": "Agent", "metadata": metadata, "spec": {}, "status": status},
    }


async def test_a_watch_goes_on_after_the_last_version_and_is_synced_once(serving: Serving) -> None:
    subscriptions: list[Any] = []

    async def script(socket: WebSocket) -> None:
        subscriptions.append(await socket.receive_json())
        if len(subscriptions) == 1:
            await socket.send_json(changed("ADDED", 9))
            await socket.send_json({"type": "synced", "version": "10"})
            await socket.send_json(changed("MODIFIED", 12))
            await socket.close(1012)
        else:
            await socket.send_json({"type": "synced", "version": "12"})
            await socket.send_json(changed("DELETED", 13))
            await socket.receive()

    async with scripted(serving, EVENTS, script) as sac, aclosing(sac.agents.watch(label_selector="x=y")) as changes:
        got = [await anext(changes) for _ in range(4)]
    assert [type(event) for event in got] == [Change, Synced, Change, Change]
    assert [(event.verb, event.version) for event in got if isinstance(event, Change)] == [
        ("ADDED", 9),
        ("MODIFIED", 12),
        ("DELETED", 13),
    ]
    assert [item.get("since") for item in subscriptions] == [None, "12"]
    assert subscriptions[0] == {"type": "subscribe", "kinds": ["Agent"], "labelSelector": "x=y"}


async def test_a_version_too_old_is_expired(serving: Serving) -> None:
    async def script(socket: WebSocket) -> None:
        assert (await socket.receive_json())["since"] == "3"
        await socket.send_json({"type": "error", "reason": "Expired", "message": "too old"})

    async with scripted(serving, EVENTS, script) as sac, aclosing(sac.agents.watch(since=3)) as changes:
        with pytest.raises(ExpiredError):
            await anext(changes)


async def test_a_snapshot_that_broke_off_is_lost_and_not_told_twice(serving: Serving) -> None:
    async def script(socket: WebSocket) -> None:
        await socket.receive()
        await socket.send_json(changed("ADDED", 9))
        await socket.close(1012)

    async with scripted(serving, EVENTS, script) as sac, aclosing(sac.agents.watch()) as changes:
        await anext(changes)
        with pytest.raises(LostError):
            await anext(changes)


def waiting(serving: Serving, *events: dict[str, Any]) -> AbstractAsyncContextManager[HttpSac]:
    async def script(socket: WebSocket) -> None:
        assert (await socket.receive_json())["since"] == "5"
        await socket.send_json({"type": "synced", "version": "5"})
        for event in events:
            await socket.send_json(event)
        await socket.receive()

    async def page(request: Request) -> Response:
        assert request.query_params["fieldSelector"] == "metadata.name=a"
        return JSONResponse({"metadata": {"resourceVersion": "5"}, "items": [changed("ADDED", 4)["object"]]})

    return scripted(serving, EVENTS, script, Route("/api/v1/agents", page))


async def test_wait_takes_the_current_generation_of_the_same_agent(serving: Serving) -> None:
    other = changed("MODIFIED", 6, "Running", uid="another")
    stale = changed("MODIFIED", 7, "Running", generation=2)
    async with waiting(serving, other, stale, changed("MODIFIED", 8, "Running")) as sac:
        agent = await sac.agents.wait("a", timeout=10)
    assert (agent.metadata.uid, agent.metadata.generation, agent.status.phase) == ("u1", 1, "Running")


async def test_wait_raises_what_went_wrong(serving: Serving) -> None:
    async with waiting(serving, changed("MODIFIED", 6, "Failed")) as sac:
        with pytest.raises(LaunchError, match="because") as caught:
            await sac.agents.wait("a", timeout=10)
    assert caught.value.reason == "CrashLoop"


async def test_wait_for_absent_returns_the_last_seen_and_for_running_says_it_is_gone(serving: Serving) -> None:
    async with waiting(serving, changed("DELETED", 6)) as sac:
        gone = await sac.agents.wait("a", "absent", timeout=10)
        assert gone is not None
        assert gone.metadata.uid == "u1"
        with pytest.raises(NotFoundError):
            await sac.agents.wait("a", timeout=10)


async def test_wait_ends_at_its_deadline_and_says_what_it_saw(serving: Serving) -> None:
    async with waiting(serving, changed("MODIFIED", 6, "Starting")) as sac:
        with anyio.fail_after(10), pytest.raises(DeadlineError, match=r"not Running after 0\.3 s; it is Starting"):
            await sac.agents.wait("a", timeout=0.3)
