"""Who is let in: bearer tokens, the two halves of a sign-in, single-use tickets; and how long."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie

import anyio
import pytest
from websockets.asyncio.client import ClientConnection

from sac_core.server.app import site_of
from sac_core.wire.terminal import SUBPROTOCOL
from server_fakes import LOCAL, TOKEN
from server_wire import Running, closed, until

ATTACH = "/api/v1/sessions/s1/attach"
JSON = "Content-Type: application/json"


class Browser:
    """Both halves of a sign-in, and the headers that a browser sends with a request of SAC's own page."""

    def __init__(self, sac: Running, cookie: str, secret: str) -> None:
        self.sac = sac
        self.cookie = f"Cookie: {cookie}"
        self.secret = f"X-SAC-Secret: {secret}"
        self.origin = f"Origin: {sac.origin}"

    @property
    def all(self) -> tuple[str, str, str]:
        return self.cookie, self.secret, self.origin

    async def ticket(self) -> str:
        answer = await self.sac.raw("POST", "/api/v1/tickets", *self.all)
        assert answer.status == 201
        return str(answer.document["ticket"])


async def sign_in(sac: Running) -> Browser:
    code = await sac.core.signins.issue_code(LOCAL)
    answer = await sac.raw(
        "POST", "/api/v1/signin", f"Origin: {sac.origin}", JSON, body=json.dumps({"code": code}).encode()
    )
    assert answer.status == 200
    assert answer.document["principal"]["name"] == "local"
    parsed = SimpleCookie(answer.headers["set-cookie"])
    (name,) = parsed
    return Browser(sac, f"{name}={parsed[name].value}", answer.document["secret"])


async def test_a_sign_in_needs_both_halves(sac: Running) -> None:
    browser = await sign_in(sac)
    assert (await sac.raw("GET", "/api/v1/agents", browser.cookie, browser.secret)).status == 200
    for headers in (
        (browser.cookie,),
        (browser.secret,),
        (browser.cookie, "X-SAC-Secret: wrong"),
        (browser.cookie + "x", browser.secret),
        (browser.cookie, browser.secret, browser.secret),
        (browser.cookie.replace("sac-", "sac-1"), browser.secret),
    ):
        assert (await sac.raw("GET", "/api/v1/agents", *headers)).status == 401


async def test_the_cookie_is_bound_to_port_and_data_directory(sac: Running) -> None:
    code = await sac.core.signins.issue_code(LOCAL)
    answer = await sac.raw("POST", "/api/v1/signin", JSON, body=json.dumps({"code": code}).encode())
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"sac-{sac.port}-")
    assert len(cookie.split("=")[0].rsplit("-", 1)[1]) == 8
    lowered = cookie.lower()
    assert all(part in lowered for part in ("httponly", "samesite=strict", "path=/", "max-age="))
    assert "secure" not in lowered
    assert "domain" not in lowered


async def test_a_code_works_once(sac: Running) -> None:
    code = await sac.core.signins.issue_code(LOCAL)
    body = json.dumps({"code": code}).encode()
    assert (await sac.raw("POST", "/api/v1/signin", JSON, body=body)).status == 200
    again = await sac.raw("POST", "/api/v1/signin", JSON, body=body)
    assert again.status == 410
    assert again.document["reason"] == "CodeExpired"
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize(
    "headers",
    [(), ("Origin: null",), ("Origin: http://evil.com",), ("Sec-Fetch-Site: same-origin",), ("Sec-Fetch-Site: none",)],
)
async def test_a_change_by_cookie_needs_our_own_page(sac: Running, headers: tuple[str, ...]) -> None:
    browser = await sign_in(sac)
    before = dict(sac.core.world.things)
    for method, path in (
        ("DELETE", "/api/v1/agents/a1"),
        ("POST", "/api/v1/agents/a1/stop"),
        ("POST", "/api/v1/signout"),
    ):
        assert (await sac.raw(method, path, browser.cookie, browser.secret, *headers)).status == 403
    assert (await sac.handshake(ATTACH, SUBPROTOCOL, browser.cookie, browser.secret, *headers)).status == 403
    assert sac.core.world.things == before


async def test_a_request_that_the_browser_calls_cross_site_is_refused(sac: Running) -> None:
    browser = await sign_in(sac)
    for site in ("cross-site", "same-site", "none"):
        answer = await sac.raw("DELETE", "/api/v1/agents/a1", *browser.all, f"Sec-Fetch-Site: {site}")
        assert answer.status == 403
    assert (await sac.raw("DELETE", "/api/v1/agents/a1", *browser.all, "Sec-Fetch-Site: same-origin")).status == 202


async def test_a_form_of_another_page_changes_nothing(sac: Running) -> None:
    browser = await sign_in(sac)
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
        answer = await sac.raw("POST", "/api/v1/agents", *browser.all, f"Content-Type: {kind}", body=b"{}")
        assert answer.status == 415
    assert len(sac.core.world.things) == 2


async def test_a_cookie_planted_by_another_port_locks_nobody_out(sac: Running) -> None:
    browser = await sign_in(sac)
    name = browser.cookie.split(": ")[1].split("=")[0]
    planted = f"Cookie: {name}=planted; {browser.cookie.removeprefix('Cookie: ')}"
    assert (await sac.raw("GET", "/api/v1/agents", planted, browser.secret)).status == 200


@pytest.mark.parametrize(
    "line", ["Basic abc", "Bearer", "Bearer ", "bearer wrong", f"Token {TOKEN}", TOKEN, f"Bearer {TOKEN}x"]
)
async def test_a_wrong_authorization_is_401_even_with_a_good_sign_in(sac: Running, line: str) -> None:
    browser = await sign_in(sac)
    answer = await sac.raw("GET", "/api/v1/agents", *browser.all, f"Authorization: {line}")
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_two_authorizations_are_none(sac: Running) -> None:
    line = f"Authorization: Bearer {TOKEN}"
    assert (await sac.raw("GET", "/api/v1/agents", line, line)).status == 401


async def test_a_ticket_opens_one_socket_of_its_browser(sac: Running) -> None:
    browser = await sign_in(sac)
    protocols = f"{SUBPROTOCOL}, sac.ticket.{await browser.ticket()}"
    answer = await sac.handshake(ATTACH, protocols, browser.cookie, browser.origin)
    assert answer.status == 101
    assert answer.headers["sec-websocket-protocol"] == SUBPROTOCOL
    assert (await sac.handshake(ATTACH, protocols, browser.cookie, browser.origin)).status == 401


async def test_of_twenty_sockets_one_gets_the_ticket(sac: Running) -> None:
    browser = await sign_in(sac)
    protocols = f"{SUBPROTOCOL}, sac.ticket.{await browser.ticket()}"
    answers: list[int] = []

    async def attempt() -> None:
        answers.append((await sac.handshake(ATTACH, protocols, browser.cookie, browser.origin)).status)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(attempt)
    assert sorted(answers) == [101, *[401] * 19]


async def test_a_ticket_is_worth_nothing_elsewhere(sac: Running) -> None:
    browser, other = await sign_in(sac), await sign_in(sac)
    for headers in ((), (browser.origin,), (browser.cookie,), (other.cookie, browser.origin)):
        protocols = f"{SUBPROTOCOL}, sac.ticket.{await browser.ticket()}"
        assert (await sac.handshake(ATTACH, protocols, *headers)).status == 401


async def test_a_ticket_for_a_script_needs_neither_cookie_nor_origin(sac: Running) -> None:
    ticket = (await sac.http.post("/api/v1/tickets")).json()["ticket"]
    assert (await sac.handshake(ATTACH, f"{SUBPROTOCOL}, sac.ticket.{ticket}")).status == 101


async def test_sign_in_codes_are_issued_to_who_may(sac: Running) -> None:
    code = (await sac.http.post("/api/v1/signin-codes")).json()["code"]
    assert (await sac.core.signins.redeem_code(code)).principal == LOCAL


async def test_me_says_who_is_asking(sac: Running) -> None:
    me = (await sac.http.get("/api/v1/me")).json()
    assert (me["id"], me["tenant"], me["permissions"]) == ("user:local", "default", ["*"])


async def test_signing_out_closes_the_sockets_of_that_sign_in_only(sac: Running) -> None:
    browser, other = await sign_in(sac), await sign_in(sac)
    async with _attached(sac, browser) as mine, _attached(sac, other) as theirs:
        answer = await sac.raw("POST", "/api/v1/signout", *browser.all)
        assert answer.status == 200
        assert "max-age=0" in answer.headers["set-cookie"].lower()
        assert await closed(mine, within=5) == 4401
        assert (await sac.raw("GET", "/api/v1/me", browser.cookie, browser.secret)).status == 401
        with anyio.move_on_after(0.2) as waited:
            await theirs.recv()
            await theirs.recv()
        assert waited.cancelled_caught


async def test_a_sign_in_that_ends_elsewhere_closes_its_sockets_and_streams(sac: Running) -> None:
    browser = await sign_in(sac)
    _sweep_often(sac)
    async with _attached(sac, browser) as socket:
        await sac.core.signins.sign_out(browser.cookie.split("=", 1)[1])  # as another server would
        assert await closed(socket, within=5) == 4401
    await until(lambda: not sac.core.world.terminals)


async def test_a_token_that_is_withdrawn_closes_its_sockets(sac: Running) -> None:
    _sweep_often(sac)
    async with sac.socket(ATTACH, SUBPROTOCOL) as socket:
        await socket.recv()
        del sac.core.valid[TOKEN]
        assert await closed(socket, within=5) == 4401


async def test_the_sweep_ends_with_the_last_socket(sac: Running) -> None:
    live = site_of(sac.server.config.app).live  # type: ignore[arg-type]
    async with sac.socket(ATTACH, SUBPROTOCOL) as socket:
        await socket.recv()
        assert len(live) == 1
        assert live._sweep is not None
    await until(lambda: len(live) == 0)
    assert live._sweep is None


@asynccontextmanager
async def _attached(sac: Running, browser: Browser) -> AsyncIterator[ClientConnection]:
    headers = {"Cookie": browser.cookie.removeprefix("Cookie: ")}
    ticket = f"sac.ticket.{await browser.ticket()}"
    async with sac.socket(ATTACH, SUBPROTOCOL, ticket, token=None, headers=headers, origin=sac.origin) as socket:
        yield socket


def _sweep_often(sac: Running) -> None:
    site_of(sac.server.config.app).live._interval = 0.1  # type: ignore[arg-type]
