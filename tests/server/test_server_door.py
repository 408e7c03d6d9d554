"""Host and Origin, for HTTP and sockets, from bytes on a real port."""

from __future__ import annotations

import pytest

from sac_core.errors import ConfigurationError
from sac_core.server.app import site_of
from sac_core.server.hosts import Hosts
from sac_core.wire.terminal import SUBPROTOCOL
from server_fakes import TOKEN
from server_wire import Running

BEARER = f"Authorization: Bearer {TOKEN}"
ATTACH = "/api/v1/sessions/s1/attach"

BAD_HOSTS = [
    "rebind.evil", "rebind.evil:{port}", "127.0.0.1", "127.0.0.1:1", "localhost:99999", "localhost:{port}0",
    "127.0.0.1:{port}.evil.com", "127.0.0.1.evil.com:{port}", "evil.com/127.0.0.1:{port}", "127.0.0.1:{port}@evil.com",
    "user@127.0.0.1:{port}", "localhost.:{port}", "127.0.0.1:{port}/", "127.0.0.1:{port}#", "127.0.0.1:{port}?a",
    "127.1:{port}", "0x7f.0.0.1:{port}", "2130706433:{port}", "0.0.0.0:{port}", "[::1", "::1:{port}",
    "[::ffff:127.0.0.1]:{port}", "localhost:{port}, evil.com", "localhost :{port}", "local\thost:{port}", "sac",
    "sac:{port}", "-localhost:{port}", "localhost:-1", "localhost:{port}\x0b", "LOCALHOST.EVIL:{port}", "*", ":{port}",
]  # fmt: skip

BAD_ORIGINS = [
    "null", "http://evil.com", "https://ok.evil.com", "https://127.0.0.1:{port}", "http://127.0.0.1:{port}.evil.com",
    "http://127.0.0.1.evil.com:{port}", "http://127.0.0.1", "http://127.0.0.1:1", "http://localhost:{port}",
    "HTTP://127.0.0.1:{port}", "http://127.0.0.1:{port}/", "http://127.0.0.1.:{port}", "http://user@127.0.0.1:{port}",
    "http://127.0.0.1:{port}@evil.com", "http://[::1]:{port}", "file://", "http://127.0.0.1:{port}, http://evil.com",
    "x127.0.0.1:{port}", "ws://127.0.0.1:{port}", "http://127.0.0.1:{port} ",
]  # fmt: skip


@pytest.mark.parametrize("host", BAD_HOSTS)
async def test_a_host_that_is_not_ours_is_400_everywhere(sac: Running, host: str) -> None:
    given = host.format(port=sac.port)
    for path in ("/api/v1/agents", "/livez", "/", "/nothing"):
        assert (await sac.raw("GET", path, BEARER, host=given)).status == 400
    assert (await sac.handshake(ATTACH, SUBPROTOCOL, BEARER, host=given)).status == 400
    assert sac.core.world.terminals == []


async def test_no_host_and_two_hosts_are_400(sac: Running) -> None:
    assert (await sac.raw("GET", "/api/v1/agents", BEARER, host=None)).status == 400
    twice = await sac.raw("GET", "/api/v1/agents", BEARER, "Host: evil.com")
    assert twice.status == 400


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "LocalHost:{port}"])
async def test_the_loopback_names_with_our_port_are_let_in(sac: Running, host: str) -> None:
    assert (await sac.raw("GET", "/api/v1/agents", BEARER, host=host.format(port=sac.port))).status == 200


@pytest.mark.parametrize("origin", BAD_ORIGINS)
async def test_a_page_of_another_origin_is_refused_before_a_socket_opens(sac: Running, origin: str) -> None:
    line = "Origin: " + origin.format(port=sac.port)
    if origin.endswith(" "):
        line = f"Origin: http://127.0.0.1:{sac.port}x"  # a trailing blank is stripped by the parser: another near miss
    assert (await sac.handshake(ATTACH, SUBPROTOCOL, BEARER, line)).status == 403
    assert (await sac.raw("GET", "/api/v1/agents", BEARER, line)).status == 403
    assert (await sac.raw("POST", "/api/v1/signin", line, "Content-Type: application/json", body=b"{}")).status == 403
    assert sac.core.world.terminals == []


async def test_our_own_origin_and_none_are_let_in(sac: Running) -> None:
    own = f"Origin: {sac.origin}"
    assert (await sac.raw("GET", "/api/v1/agents", BEARER, own)).status == 200
    assert (await sac.handshake(ATTACH, SUBPROTOCOL, BEARER, own)).status == 101
    assert (await sac.handshake(ATTACH, SUBPROTOCOL, BEARER)).status == 101
    twice = await sac.raw("GET", "/api/v1/agents", BEARER, own, "Origin: http://evil.com")
    assert twice.status == 403


async def test_every_answer_carries_the_security_headers(sac: Running) -> None:
    for path, host in (("/", ""), ("/api/v1/agents", ""), ("/nothing", ""), ("/livez", "evil")):
        headers = (await sac.raw("GET", path, host=host)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["referrer-policy"] == "no-referrer"
        assert "script-src 'self';" in headers["content-security-policy"]
        assert "evil" not in headers["content-security-policy"]
        assert len(headers["x-request-id"]) == 16
        assert "server" not in headers
    policy = (await sac.raw("GET", "/")).headers["content-security-policy"]
    assert f"connect-src 'self' ws://127.0.0.1:{sac.port};" in policy
    assert (await sac.raw("GET", "/api/v1/agents")).headers["cache-control"] == "no-store"


async def test_a_refused_socket_tells_why_as_a_problem(sac: Running) -> None:
    answer = await sac.handshake(ATTACH, SUBPROTOCOL)
    assert answer.status == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.document["reason"] == "Unauthenticated"
    assert "sac console" in answer.document["hint"]


async def test_a_socket_without_its_subprotocol_is_400(sac: Running) -> None:
    for protocol in ("", "sac.exec.v1", "SAC.TERMINAL.V1"):
        assert (await sac.handshake(ATTACH, protocol, BEARER)).status == 400


async def test_every_protected_route_refuses_a_foreign_host(sac: Running) -> None:
    for route in site_of(sac.server.config.app).table:  # type: ignore[arg-type]
        path = route.path.replace("{name}", "a1").replace("{path:path}", "x")
        if route.method == "WS":
            answer = await sac.handshake(path, route.subprotocol, BEARER, host="rebind.evil")
        else:
            answer = await sac.raw(route.method, path, BEARER, host="rebind.evil")
        assert answer.status == 400, path


def test_a_host_that_is_none_is_refused_at_the_start() -> None:
    for wrong in ("https://sac.example.com", "*.example.com", "", "a b"):
        with pytest.raises(ConfigurationError, match="hosts"):
            Hosts([wrong])
