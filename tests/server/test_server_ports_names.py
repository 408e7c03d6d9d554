"""Which Host names a port of an agent, and which headers pass."""

from __future__ import annotations

import pytest

from sac_core.server.hosts import Authority
from sac_core.server.ports.forwarded import from_body, to_body
from sac_core.server.ports.names import PortHosts

UID = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
HERE = Authority(f"p80-{UID}.localhost", 8765, "http")
LOCAL, PUBLIC = PortHosts("localhost"), PortHosts("ports.example.com")


def test_a_name_is_found_again() -> None:
    found = LOCAL.find([f"{LOCAL.name(UID, 8000)}:8765".encode()], 8765)
    assert found is not None
    assert (found.port, found.uid, found.authority.origin) == (8000, UID, f"http://p8000-{UID}.localhost:8765")
    assert LOCAL.origin(UID, 8000, 8765) == found.authority.origin


def test_below_a_domain_of_its_own_it_is_found_behind_any_port_and_with_tls() -> None:
    found = PUBLIC.find([f"P8000-{UID.upper()}.Ports.Example.com".encode()], 8765)
    assert found is not None
    assert found.authority.origin == f"https://p8000-{UID}.ports.example.com" == PUBLIC.origin(UID, 8000, 8765)


@pytest.mark.parametrize(
    "host",
    [
        f"p8000-{UID}.localhost:9999",
        f"p8000-{UID}.localhost",
        f"p8000-{UID}.localhost.evil.com:8765",
        f"p8000-{UID}.evil.com:8765",
        f"p8000-{UID}.xlocalhost:8765",
        f"p8000-{UID}localhost:8765",
        f"p8000-{UID}..localhost:8765",
        f"p8000-{UID}.localhost.:8765",
        f"a.p8000-{UID}.localhost:8765",
        f"p0-{UID}.localhost:8765",
        f"p65536-{UID}.localhost:8765",
        f"p08000-{UID}.localhost:8765",
        f"p-{UID}.localhost:8765",
        "p8000-.localhost:8765",
        "p8000.localhost:8765",
        "localhost:8765",
        "127.0.0.1:8765",
        f"user@p8000-{UID}.localhost:8765",
        f"p8000-{UID}.localhost:8765/",
        "",
    ],
)
def test_what_is_no_name_of_a_port_is_none(host: str) -> None:
    assert LOCAL.find([host.encode()], 8765) is None


def test_two_hosts_or_none_name_nothing() -> None:
    name = f"{LOCAL.name(UID, 80)}:8765".encode()
    assert LOCAL.find([name, name], 8765) is None
    assert LOCAL.find([], 8765) is None
    assert LOCAL.find([name], None) is not None


def passed(*given: tuple[str, str], authorization: bool = False) -> dict[str, str]:
    raw = [(name.encode(), value.encode()) for name, value in given]
    return {name.decode(): value.decode() for name, value in to_body(raw, HERE, "::1", authorization=authorization)}


def test_a_body_hears_of_the_way_from_us_alone() -> None:
    found = passed(
        ("host", HERE.text),
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "1"),
        ("forwarded", "for=6.6.6.6"),
        ("x-real-ip", "6.6.6.6"),
        ("accept", "*/*"),
    )
    assert found == {
        "host": HERE.text,
        "accept": "*/*",
        "x-forwarded-for": "::1",
        "x-forwarded-host": HERE.text,
        "x-forwarded-proto": "http",
    }


def test_headers_of_one_connection_stay_on_it() -> None:
    found = passed(
        ("connection", "Keep-Alive, X-Private"),
        ("keep-alive", "timeout=5"),
        ("x-private", "1"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
        ("proxy-authorization", "Basic x"),
        ("expect", "100-continue"),
        ("content-length", "3"),
    )
    assert set(found) == {"content-length", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}


def test_a_host_cannot_be_named_away() -> None:
    assert passed(("connection", "host"), ("host", HERE.text))["host"] == HERE.text


def test_what_comes_in_pieces_has_no_length() -> None:
    found = passed(("transfer-encoding", "chunked"), ("content-length", "3"))
    assert found["transfer-encoding"] == "chunked"
    assert "content-length" not in found


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("sac-8765-0a1b=canary", None),
        ("a=1; sac-8765-0a1b=canary; b=2", "a=1; b=2"),
        ("a=1;__Host-sac-port=canary", "a=1"),
        ("SAC-port=canary; sacrifice=1", "sacrifice=1"),
        ("=sac-port=canary; x=y", "x=y"),
    ],
)
def test_our_cookies_never_reach_a_body(given: str, kept: str | None) -> None:
    assert passed(("cookie", given)).get("cookie") == kept


def test_our_secrets_never_reach_a_body() -> None:
    given = (("authorization", "Bearer canary"), ("x-sac-secret", "canary"))
    assert "canary" not in str(passed(*given))
    assert passed(*given, authorization=True)["authorization"] == "Bearer canary"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a=1; Domain=localhost; Path=/", "a=1; Path=/"),
        ("a=1; dOmAiN = .example.com; Secure", "a=1; Secure"),
        ("a=domain=x; HttpOnly", "a=domain=x; HttpOnly"),
        ("sac-port=evil; Path=/", None),
        ("=__Host-sac-port=evil", None),
    ],
)
def test_a_cookie_stays_at_its_host_name(given: str, kept: str | None) -> None:
    found = from_body(200, [(b"Set-Cookie", given.encode())])
    assert found == ([(b"set-cookie", kept.encode())] if kept else [])


def test_an_answer_loses_what_would_reach_beyond_it() -> None:
    given = [
        (b"Clear-Site-Data", b'"cookies"'),
        (b"Alt-Svc", b'h3=":443"'),
        (b"Connection", b"close, X-Hop"),
        (b"X-Hop", b"1"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Content-Length", b"5"),
        (b"Content-Type", b"text/plain"),
        (b"Vary", b"a"),
        (b"Vary", b"b"),
    ]
    assert from_body(200, given) == [(b"content-type", b"text/plain"), (b"vary", b"a"), (b"vary", b"b")]


def test_an_answer_without_a_body_has_no_length() -> None:
    assert from_body(304, [(b"Content-Length", b"5"), (b"ETag", b"x")]) == [(b"etag", b"x")]
    assert from_body(200, [(b"Content-Length", b"5")]) == [(b"content-length", b"5")]
