from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

import sac_core
from sac_core.client.address import parse_address
from sac_core.errors import ConflictError, InvalidError, LostError, NotFoundError, SacError, UnavailableError

Serving = Callable[..., AbstractAsyncContextManager[str]]
TOKEN = "sixteen-letters-or-more"


def agent(name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "sac/v1", "kind": "Agent", "metadata": {"name": name, **metadata}, "spec": {}, "status": {}}


def listed(items: list[dict[str, Any]], version: str, after: str | None = None) -> JSONResponse:
    return JSONResponse({"kind": "List", "metadata": {"resourceVersion": version, "continue": after}, "items": items})


async def test_token_and_json_reach_the_server_and_the_answer_is_a_model(serving: Serving) -> None:
    seen: list[Any] = []

    async def create(request: Request) -> Response:
        seen.append((request.headers["authorization"], request.headers["idempotency-key"], await request.json()))
        return JSONResponse(agent("a1", generation=1), status_code=201)

    async with serving([Route("/api/v1/agents", create, methods=["POST"])]) as url:
        async with sac_core.connect(url, TOKEN) as sac:
            made = await sac.agents.create("a1", {"runtime": "shell"}, labels={"x": "y"}, idempotency_key="once")
    assert made.metadata.generation == 1
    body = {"metadata": {"name": "a1", "labels": {"x": "y"}, "annotations": {}}, "spec": {"runtime": "shell"}}
    assert seen == [(f"Bearer {TOKEN}", "once", body)]


async def test_a_unix_socket_carries_requests(serving: Serving, tmp_path: Path) -> None:
    async def get(request: Request) -> Response:
        return JSONResponse(agent(request.path_params["name"]))

    uds = tmp_path / "s"
    async with serving([Route("/api/v1/agents/{name}", get)], uds=uds):
        async with sac_core.connect("http://sac.invalid", TOKEN, socket=uds) as sac:
            assert (await sac.agents.get("a1")).metadata.name == "a1"


async def test_a_list_of_all_takes_every_page_and_the_first_ones_version(serving: Serving) -> None:
    async def pages(request: Request) -> Response:
        if request.query_params.get("continue") == "next":
            return listed([agent("b")], "9")
        return listed([agent("a")], "7", "next")

    async with serving([Route("/api/v1/agents", pages)]) as url, sac_core.connect(url, TOKEN) as sac:
        whole = await sac.agents.list()
        part = await sac.agents.list(limit=1)
    assert [item.metadata.name for item in whole.items] == ["a", "b"]
    assert (whole.version, whole.next) == (7, None)
    assert ([item.metadata.name for item in part.items], part.next) == (["a"], "next")


async def test_problem_documents_become_our_errors(serving: Serving) -> None:
    document = {"title": "Conflict", "status": 409, "detail": "changed", "field": "metadata.resourceVersion"}

    async def refuse(request: Request) -> Response:
        assert request.headers["if-match"] == '"3"'
        return JSONResponse({**document, "current": "4"}, status_code=409)

    async with serving([Route("/api/v1/agents/a", refuse, methods=["PATCH"])]) as url:
        async with sac_core.connect(url, TOKEN) as sac:
            with pytest.raises(ConflictError, match=r"metadata\.resourceVersion: changed") as caught:
                await sac.agents.patch("a", {"spec": {}}, resource_version="3")
    assert caught.value.current == "4"


async def test_an_answer_that_is_no_problem_document_names_its_status(serving: Serving) -> None:
    async def broken(request: Request) -> Response:
        return PlainTextResponse("<html>Bad gateway", status_code=502)

    async with serving([Route("/api/v1/agents/a", broken)]) as url, sac_core.connect(url, TOKEN) as sac:
        with pytest.raises(SacError, match="answered 502"):
            await sac.agents.get("a")


async def test_no_redirect_is_followed(serving: Serving) -> None:
    asked: list[str] = []

    async def elsewhere(request: Request) -> Response:
        asked.append(request.url.path)
        return RedirectResponse("/api/v1/kinds" if request.url.path != "/api/v1/kinds" else "/")

    async with serving([Route("/api/v1/agents/a", elsewhere)]) as url, sac_core.connect(url, TOKEN) as sac:
        with pytest.raises(SacError, match="answered 307"):
            await sac.agents.get("a")
    assert asked == ["/api/v1/agents/a"]


async def test_a_name_with_a_slash_stays_one_segment(serving: Serving) -> None:
    paths: list[bytes] = []

    async def any_path(request: Request) -> Response:
        paths.append(request.scope["raw_path"])
        return JSONResponse({"title": "NotFound", "detail": "no"}, status_code=404)

    async with serving([Route("/api/v1/agents/{rest:path}", any_path)]) as url, sac_core.connect(url, TOKEN) as sac:
        with pytest.raises(NotFoundError):
            await sac.agents.get("../sessions/x")
    assert paths == [b"/api/v1/agents/..%2Fsessions%2Fx"]


async def test_an_unknown_kind_names_those_there_are_and_a_strangers_kind_is_read(serving: Serving) -> None:
    async def widget(request: Request) -> Response:
        return JSONResponse({"kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 3}})

    async with serving([Route("/api/v1/widgets/w", widget)]) as url, sac_core.connect(url, TOKEN) as sac:
        with pytest.raises(NotFoundError, match="agents, widgets"):
            sac.resources("gadgets")
        assert (await sac.resources("widgets").get("w")).spec == {"size": 3}


async def test_nobody_there_is_unavailable_and_says_what_to_do() -> None:
    with pytest.raises(UnavailableError, match="sac up"):
        async with sac_core.connect("http://127.0.0.1:1", TOKEN):
            pass


async def test_logs_that_break_off_are_lost_and_offsets_count_from_since(serving: Serving) -> None:
    async def lines() -> Any:
        yield b"one\n"
        raise RuntimeError("the server dies")

    async def log(request: Request) -> Response:
        assert dict(request.query_params) == {"follow": "true", "since": "10"}
        return StreamingResponse(lines())

    got: list[Any] = []

    async def read(sac: sac_core.Sac) -> None:
        async for chunk in sac.agents.logs("a", follow=True, since=10):
            got.append((chunk.offset, chunk.data))  # noqa: PERF401 - what came before the error counts

    async with serving([Route("/api/v1/agents/a/logs", log)]) as url, sac_core.connect(url, TOKEN) as sac:
        with pytest.raises(LostError):
            await read(sac)
    assert got == [(10, b"one\n")]


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:8765", "http://example.org", "http://[2001:db8::1]", "http://localhost.evil.org"]
)
def test_a_token_never_crosses_a_network_in_the_clear(url: str) -> None:
    with pytest.raises(InvalidError, match="unencrypted"):
        parse_address(url, socket=None, token=TOKEN, insecure=False)
    assert parse_address(url, socket=None, token=TOKEN, insecure=True).url == url
    assert parse_address(url, socket=None, token=None, insecure=False).url == url


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://localhost", "http://[::1]:8765", "https://example.org/sac"]
)
def test_loopback_and_https_take_a_token(url: str) -> None:
    assert parse_address(url + "/", socket=None, token=TOKEN, insecure=False).url == url


@pytest.mark.parametrize("url", ["127.0.0.1:8765", "ftp://x", "http://", "http://user:secret@h", "https://h?token=x"])
def test_what_is_no_server_address_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(InvalidError, match="not the address") as caught:
        parse_address(url, socket=None, token=TOKEN, insecure=False)
    assert "secret" not in str(caught.value)
    assert "token=x" not in str(caught.value)


async def test_proxies_of_the_environment_do_not_see_loopback(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving([]) as url, sac_core.connect(url, TOKEN) as sac:
        assert sac.resources("agents")
