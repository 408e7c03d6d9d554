"""What a target has beyond the verbs of every kind: it can be tested, and made the default of its executor."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.types import ASGIApp

from sac_core.models.agent import ExecutorRef
from sac_core.models.body import Probe
from sac_core.server.answers import document
from sac_core.server.call import Call
from sac_core.server.route import Route

_ONE = "/api/v1/targets/{name}"


def target_routes() -> Iterator[Route]:
    """The routes of targets alone."""
    yield Route("POST", f"{_ONE}/test", "targets:test", test, "Ask a target what it can do and what is wrong",
                returns=Probe)  # fmt: skip
    yield Route("POST", f"{_ONE}/set-default", "targets:set-default", set_default,
                "Send new agents of its executor there", query=("executor",), returns=ExecutorRef)  # fmt: skip


async def test(call: Call) -> ASGIApp:
    return document(await call.sac.targets.test(call.name))


async def set_default(call: Call) -> ASGIApp:
    return document(await call.sac.targets.set_default(call.name, executor=call.query.get("executor") or None))
