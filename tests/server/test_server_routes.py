"""The table: every route says who may use it, and nothing is served that is not in it."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from starlette.routing import Mount

from sac_core.errors import ConfigurationError
from sac_core.models.kind import AGENT, KINDS, SESSION
from sac_core.server.app import routes_of, site_of
from sac_core.server.route import PUBLIC, Route, checked, public_paths
from server_fakes import OTHER_TOKEN, TOKEN, VIEWER_TOKEN, FakeCore
from server_wire import Running

TABLE = checked(routes_of(KINDS, console=True))
PUBLIC_PATHS = [
    "GET /", "GET /health", "GET /livez", "GET /openapi.json", "GET /ready", "GET /readyz", "GET /{path:path}",
    "POST /api/v1/signin",
]  # fmt: skip
PROTECTED = [route for route in TABLE if route.permission != PUBLIC]


def _path(route: Route) -> str:
    return route.path.replace("{name}", "s1" if "sessions" in route.path else "a1").replace("{path:path}", "x")


def test_what_anyone_may_ask_is_just_this_list() -> None:
    print("\n".join(public_paths(TABLE)))
    assert public_paths(TABLE) == PUBLIC_PATHS


async def test_everything_served_is_in_the_table(sac: Running) -> None:
    app = sac.server.config.app
    served = {route.path for route in app.routes}  # type: ignore[union-attr]
    assert served == {route.path for route in TABLE}
    assert not any(isinstance(route, Mount) for route in app.routes)  # type: ignore[union-attr]


@pytest.mark.parametrize("route", PROTECTED, ids=lambda route: f"{route.method} {route.path}")
async def test_anonymous_is_401(sac: Running, route: Route) -> None:
    before = copy.deepcopy(sac.core.world.things)
    if route.method == "WS":
        answer = await sac.handshake(_path(route), route.subprotocol)
    else:
        answer = await sac.raw(route.method, _path(route), "Content-Type: application/json", body=b"{}")
    assert answer.status == 401
    assert sac.core.world.things == before
    assert sac.core.world.terminals == []


@pytest.mark.parametrize("route", PROTECTED, ids=lambda route: f"{route.method} {route.path}")
async def test_a_token_in_the_address_opens_nothing(sac: Running, route: Route) -> None:
    for name in ("token", "access_token", "ticket"):
        path = f"{_path(route)}?{name}={TOKEN}"
        if route.method == "WS":
            answer = await sac.handshake(path, route.subprotocol)
        else:
            answer = await sac.raw(route.method, path, "Content-Type: application/json", body=b"{}")
        assert answer.status == 401
        assert TOKEN not in answer.body.decode()


@pytest.mark.parametrize(
    "route", [r for r in PROTECTED if "{name}" in r.path], ids=lambda route: f"{route.method} {route.path}"
)
async def test_a_thing_of_another_tenant_is_not_found(sac: Running, route: Route) -> None:
    before = copy.deepcopy(sac.core.world.things)
    bearer = f"Authorization: Bearer {OTHER_TOKEN}"
    if route.method == "WS":
        answers = [await sac.handshake(_path(route) + extra, route.subprotocol, bearer) for extra in _TENANTS]
    else:
        body = b'{"argv": ["true"]}'
        type = f"Content-Type: {route.takes or 'application/json'}"
        answers = [await sac.raw(route.method, _path(route) + extra, bearer, type, body=body) for extra in _TENANTS]
    assert [answer.status for answer in answers] == [404, 404]
    assert sac.core.world.things == before
    assert sac.core.world.terminals == []


_TENANTS = ("", "?namespace=default")


async def test_a_missing_permission_is_403_and_names_it(sac: Running) -> None:
    bearer = f"Authorization: Bearer {VIEWER_TOKEN}"
    assert (await sac.raw("GET", "/api/v1/agents/a1", bearer)).status == 200
    refused = await sac.raw("DELETE", "/api/v1/agents/a1", bearer)
    assert refused.status == 403
    assert "agents:delete" in refused.document["hint"]
    assert (await sac.handshake("/api/v1/sessions/s1/attach", "sac.terminal.v1", bearer)).status == 403
    assert (await sac.handshake("/api/v1/agents/a1/exec", "sac.exec.v1", bearer)).status == 403
    assert (await sac.raw("POST", "/api/v1/signin-codes", bearer)).status == 403


async def test_reading_changes_nothing(sac: Running) -> None:
    things = copy.deepcopy(sac.core.world.things)
    state = copy.deepcopy(sac.core.signins._state._entries)  # type: ignore[attr-defined]
    for route in TABLE:
        if route.method == "GET" and "events" not in route.path and "logs" not in route.path:
            for _ in range(2):
                await sac.http.get(_path(route))
                await sac.http.head(_path(route))
    assert sac.core.world.things == things
    assert sac.core.signins._state._entries == state  # type: ignore[attr-defined]
    assert sac.core.world.changes[-1][1].version == sac.core.world.version


async def test_what_is_not_there_is_a_problem(sac: Running) -> None:
    for path in ("/api/v1/nothing", "/api/v2/agents", "/api/v1/agents/a1/nothing", "/api/v1/agents/", "/x/../api"):
        answer = await sac.raw("GET", path, f"Authorization: Bearer {TOKEN}")
        assert answer.status == 404
        assert answer.document["reason"] == "NotFound"
    assert (await sac.handshake("/api/v1/nothing", "sac.terminal.v1")).status == 404


async def test_a_method_that_is_not_there_names_those_that_are(sac: Running) -> None:
    answer = await sac.http.request("PATCH", "/api/v1/sessions/s1")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET, HEAD"
    assert answer.json()["reason"] == "MethodNotAllowed"
    assert (await sac.http.request("WS", "/api/v1/events")).status_code in (400, 405)
    assert (await sac.http.get("/api/v1/agents/a1/exec")).status_code == 405


@pytest.mark.parametrize("permission", ["", "agents", "*", "public ", "agents:get\n", None])
def test_a_route_without_a_permission_stops_the_start(permission: str) -> None:
    route = replace(TABLE[-3], permission=permission)
    with pytest.raises(ConfigurationError, match="permission"):
        checked([*TABLE[:-3], route])


def test_two_kinds_of_one_plural_stop_the_start() -> None:
    with pytest.raises(ConfigurationError, match="twice"):
        checked(routes_of([AGENT, replace(AGENT, kind="Other")], console=False))


async def test_an_app_with_such_a_kind_is_not_made(core: FakeCore) -> None:
    from sac_core.server.app import create_app

    core.registry = replace(core.registry, kinds={"agents": AGENT, "x": replace(SESSION, plural="agents")})
    with pytest.raises(ConfigurationError):
        create_app(core.real)


async def test_routes_of_a_kind_follow_its_verbs(core: FakeCore) -> None:
    from sac_core.server.app import create_app

    core.registry = replace(core.registry, kinds={"things": replace(AGENT, plural="things", verbs=("list", "get"))})
    methods = {(r.method, r.path) for r in site_of(create_app(core.real)).table if "things" in r.path}
    assert methods == {("GET", "/api/v1/things"), ("GET", "/api/v1/things/{name}")}
