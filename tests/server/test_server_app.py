"""`create_app`: opening a core, mounting under a prefix, the console's files, OpenAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from sac_core.contracts.authenticator import Credentials
from sac_core.core.wiring import Core
from sac_core.errors import ConfigurationError
from sac_core.models.principal import Principal
from sac_core.server import console
from sac_core.server.app import create_app, routes_of
from sac_core.server.openapi import describe
from sac_core.server.route import checked
from server_fakes import LOCAL, TOKEN, FakeCore
from server_wire import Running, text

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def _client(app: Starlette, **options: Any) -> TestClient:
    return TestClient(app, base_url="http://sac.example", **options)


async def test_openapi_is_valid_and_has_every_route(sac: Running) -> None:
    document = (await sac.http.get("/openapi.json")).json()
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]["/api/v1/agents/{name}"]) == {"get", "put", "patch", "delete"}
    assert document["paths"]["/api/v1/agents"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert document["paths"]["/api/v1/sessions/{name}/attach"]["get"]["responses"]["101"]
    assert document["paths"]["/livez"]["get"]["security"] == []
    identifiers = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(identifiers) == len(set(identifiers))
    assert TOKEN not in str(document)


def test_openapi_of_a_plugins_kind_is_valid() -> None:
    import json
    from dataclasses import replace

    from sac_core.models.kind import AGENT

    table = checked(routes_of([replace(AGENT, kind="Thing", plural="things", singular="thing")], console=False))
    document = json.loads(describe(table, "/sac"))
    OpenAPIV31SpecValidator(document).validate()
    assert document["servers"] == [{"url": "/sac"}]
    assert "/api/v1/things/{name}" in document["paths"]


async def test_mounted_under_a_prefix(core: FakeCore, serve_app: Any) -> None:
    app = Starlette(routes=[Mount("/tools/sac", create_app(core.real))])
    inner = create_app(core.real)
    app.state.site = inner.state.site
    async with serve_app(core, app) as sac:
        made = await sac.http.post("/tools/sac/api/v1/agents", json={"metadata": {"name": "b"}})
        assert made.headers["location"] == "/tools/sac/api/v1/agents/b"
        assert (await sac.http.get(made.headers["location"])).status_code == 200
        assert (await sac.http.get("/api/v1/agents")).status_code == 404
        code = await core.signins.issue_code(LOCAL)
        answer = await sac.http.post("/tools/sac/api/v1/signin", json={"code": code})
        (cookie,) = SimpleCookie(answer.headers["set-cookie"]).values()
        assert cookie["path"] == "/tools/sac"
        assert (await sac.http.get("/tools/sac/")).headers["content-type"].startswith("text/html")
        assert (await sac.http.get("/tools/sac/openapi.json")).json()["servers"] == [{"url": "/tools/sac"}]
        async with sac.socket("/tools/sac/api/v1/sessions/s1/attach", "sac.terminal.v1") as socket:
            assert (await text(socket))["type"] == "attached"


def test_a_callable_is_opened_and_closed_by_the_lifespan(core: FakeCore) -> None:
    opened: list[str] = []

    @asynccontextmanager
    async def open_fake() -> AsyncIterator[Core]:
        opened.append("open")
        yield core.real
        opened.append("closed")

    app = create_app(open_fake, hosts=["sac.example"])
    with _client(app) as client:
        assert opened == ["open"]
        assert client.get("/api/v1/agents", headers=BEARER).status_code == 200
    assert opened == ["open", "closed"]


def test_the_embedding_app_says_who_asks(core: FakeCore) -> None:
    async def mine(credentials: Credentials) -> Principal | None:
        return LOCAL if credentials.bearer == "mine" else None

    client = _client(create_app(core.real, mine, hosts=["sac.example"]))
    assert client.get("/api/v1/me", headers={"Authorization": "Bearer mine"}).status_code == 200
    assert client.get("/api/v1/me", headers=BEARER).status_code == 401


def test_only_the_given_hosts_are_answered(core: FakeCore) -> None:
    app = create_app(core.real, hosts=["sac.example", "exact.example:8443"])
    for host, status in (
        ("sac.example", 200), ("sac.example:81", 200), ("exact.example:8443", 200), ("exact.example", 400),
        ("localhost", 400), ("xsac.example", 400),
    ):  # fmt: skip
        assert _client(app).get("/livez", headers={"Host": host}).status_code == status


def test_behind_tls_the_cookie_is_secure_and_sockets_are_wss(core: FakeCore) -> None:
    import anyio

    code = anyio.run(core.signins.issue_code, LOCAL)
    client = TestClient(create_app(core.real, hosts=["sac.example"]), base_url="https://sac.example")
    answer = client.post("/api/v1/signin", json={"code": code}, headers={"Origin": "https://sac.example"})
    assert "; secure" in answer.headers["set-cookie"].lower()
    assert "connect-src 'self' wss://sac.example;" in answer.headers["content-security-policy"]
    assert answer.headers["strict-transport-security"]


def test_origins_are_let_in_besides_and_nothing_that_looks_like_them(core: FakeCore) -> None:
    app = create_app(core.real, hosts=["inside"], origins=["https://sac.example", "http://10.0.0.7:8080"])
    for host, origin, status in (
        ("sac.example", "https://sac.example", 200), ("sac.example:443", "https://sac.example", 200),
        ("10.0.0.7:8080", "http://10.0.0.7:8080", 200), ("inside", "http://inside", 200),
        ("sac.example", "http://sac.example", 403), ("sac.example", "https://evil.example", 403),
        ("sac.example:8443", "https://sac.example:8443", 400), ("10.0.0.7", "http://10.0.0.7", 400),
        ("xsac.example", "https://xsac.example", 400), ("sac.example.evil", "https://sac.example.evil", 400),
    ):  # fmt: skip
        headers = BEARER | {"Host": host, "Origin": origin}
        assert _client(app).get("/api/v1/agents", headers=headers).status_code == status, (host, origin)


def test_behind_a_proxy_that_ends_tls_the_cookie_is_secure_and_sockets_are_wss(core: FakeCore) -> None:
    import anyio

    code = anyio.run(core.signins.issue_code, LOCAL)
    client = TestClient(create_app(core.real, origins=["https://sac.example"]), base_url="http://sac.example")
    answer = client.post("/api/v1/signin", json={"code": code}, headers={"Origin": "https://sac.example"})
    assert "; secure" in answer.headers["set-cookie"].lower()
    assert "connect-src 'self' wss://sac.example;" in answer.headers["content-security-policy"]


def test_an_origin_that_is_none_is_refused_at_the_start(core: FakeCore) -> None:
    for wrong in ("sac.example", "ftp://sac.example", "https://*.example", "https://sac.example/x", "https://"):
        with pytest.raises(ConfigurationError, match="SAC_ORIGINS"):
            create_app(core.real, origins=[wrong])


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "static"
    monkeypatch.setattr(console.console_routes, "__defaults__", (folder,))
    return folder


def test_without_its_files_the_page_says_how_to_build_them(core: FakeCore, files: Path) -> None:
    client = _client(create_app(core.real, hosts=["sac.example"]))
    page = client.get("/")
    assert "make run" in page.text
    assert client.get("/assets/x.js").status_code == 404


def test_the_consoles_files(core: FakeCore, files: Path, tmp_path: Path) -> None:
    client = _client(create_app(core.real, hosts=["sac.example"]))
    (files / "assets").mkdir(parents=True)
    (files / "index.html").write_text("<!doctype html>console")
    (files / "assets" / "index-1a2b.js").write_text("1")
    (tmp_path / "secret").write_text("canary")
    page = client.get("/")
    assert (page.text, page.headers["cache-control"]) == ("<!doctype html>console", "no-cache")
    script = client.get("/assets/index-1a2b.js")
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-type"].startswith("text/javascript")
    assert client.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    for path in ("/../secret", "/%2e%2e/secret", "/assets/..%2f..%2f..%2fsecret", "//etc/passwd", "/assets", "/x%00"):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert "canary" not in answer.text


def test_without_a_console_nothing_is_at_the_root(core: FakeCore) -> None:
    client = _client(create_app(core.real, hosts=["sac.example"], console=False))
    assert client.get("/").status_code == 404
