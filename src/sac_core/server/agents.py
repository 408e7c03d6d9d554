"""What an agent has beyond the verbs of every kind: start, stop, restart, logs, exec, and its sessions' terminals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import anyio
from pydantic import Field
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from sac_core.errors import SacError
from sac_core.models.agent import Agent
from sac_core.models.base import Model, parse
from sac_core.models.cause import Timeline
from sac_core.models.names import Argv, Environment
from sac_core.models.process import Chunk
from sac_core.server.answers import document
from sac_core.server.call import Call
from sac_core.server.resources import one
from sac_core.server.route import Route
from sac_core.server.streams import Form, Streamed
from sac_core.wire.exec import ExecResult

OFFSET_HEADER = "SAC-Offset"
"""The offset of the first byte of a log's answer."""

_ONE = "/api/v1/agents/{name}"


class ExecBody(Model):
    """A command to run to its end; ``timeout`` in seconds."""

    argv: Argv
    cwd: str | None = None
    env: Environment = Field(default_factory=dict)
    timeout: float = Field(default=600.0, gt=0, le=3600)


def agent_routes() -> Iterator[Route]:
    """The routes of agents alone."""
    yield Route("POST", f"{_ONE}/start", "agents:start", start, "Start a stopped agent", returns=Agent)
    yield Route("POST", f"{_ONE}/stop", "agents:stop", stop, "Stop an agent and keep what it has", returns=Agent)
    yield Route("POST", f"{_ONE}/restart", "agents:restart", restart, "Replace an agent's body", returns=Agent)
    yield Route(
        "GET", f"{_ONE}/logs", "agents:logs", logs, "Output of the main process",
        query=("follow", "since"), media_type="application/octet-stream",
    )  # fmt: skip
    yield Route("GET", f"{_ONE}/timeline", "agents:get", timeline, "What happened to an agent, and why",
                returns=Timeline)  # fmt: skip
    yield Route(
        "POST", f"{_ONE}/exec", "agents:exec", exec_to_end, "Run a command to its end",
        body=ExecBody, returns=ExecResult,
    )  # fmt: skip


async def start(call: Call) -> ASGIApp:
    return one(await call.sac.agents.start(call.name))


async def stop(call: Call) -> ASGIApp:
    return one(await call.sac.agents.stop(call.name))


async def restart(call: Call) -> ASGIApp:
    return one(await call.sac.agents.restart(call.name))


async def logs(call: Call) -> ASGIApp:
    since = call.whole("since") or 0
    source: AsyncIterator[Chunk] = call.sac.agents.logs(call.name, follow=call.flag("follow"), since=since)

    def opening(first: Chunk | None) -> dict[str, str]:
        return {OFFSET_HEADER: str(first.offset if first else since)}

    return Streamed(call, source, Form("application/octet-stream", _bytes, opening=opening))


async def timeline(call: Call) -> ASGIApp:
    return document(await call.sac.agents.timeline(call.name))


def _bytes(chunk: Chunk) -> bytes:
    return chunk.data


async def exec_to_end(call: Call) -> ASGIApp:
    body = parse(ExecBody, await call.body())

    async def run() -> ExecResult:
        return await call.sac.exec(call.name, body.argv, env=body.env, cwd=body.cwd, timeout=body.timeout)

    return document(await while_connected(call, run))


async def while_connected(call: Call, work: Callable[[], Awaitable[Any]]) -> Any:
    """The result of ``work``, which is cancelled when the client goes away or the server stops."""
    results: list[Any] = []
    with call.site.live.joined(call.known) as connection, connection.scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_watch_client, call, tasks.cancel_scope)
            results.append(await _result(work))
            tasks.cancel_scope.cancel()
    if not results:
        raise ClientDisconnect
    if isinstance(results[0], SacError):
        raise results[0]
    return results[0]


async def _result(work: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await work()
    except SacError as error:  # raised again outside of the task group, which would wrap it
        return error


async def _watch_client(call: Call, scope: anyio.CancelScope) -> None:
    while (await call.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
