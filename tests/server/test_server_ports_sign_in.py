"""Signing a browser in at the host name of a port: by a link, once, for that port alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from port_bench import PortBench

NAVIGATION = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """asyncio only; one agent serves the whole module."""
    return "asyncio"


async def code_of(ports: PortBench) -> str:
    link = await ports.sac.port_link("web", ports.port)
    assert link.startswith(f"{ports.origin}/.sac/#code=")
    return urlsplit(link).fragment.removeprefix("code=")


async def redeemed(ports: PortBench, code: str, **options: Any) -> httpx2.Response:
    headers = {"Origin": ports.origin, **options.pop("headers", {})}
    return await ports.ask("POST", "/.sac/signin", token=None, json={"code": code}, headers=headers, **options)


async def signed_in(ports: PortBench) -> str:
    """The cookie header of a browser that followed a link."""
    answer = await redeemed(ports, await code_of(ports))
    assert answer.status_code == 204
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert {each.lower() for each in attributes} >= {"httponly", "path=/", "samesite=lax"}
    assert not any(each.lower().startswith("domain") for each in attributes)
    return cookie


async def test_a_link_signs_in_once_and_the_body_never_sees_it(ports: PortBench) -> None:
    cookie = await signed_in(ports)
    answer = await ports.get(token=None, headers={"Cookie": f"theme=dark; {cookie}"})
    assert answer.status_code == 200
    assert [value for name, value in answer.json()["headers"] if name == "cookie"] == ["theme=dark"]
    assert cookie.partition("=")[2] not in answer.text


async def test_a_code_is_valid_once_also_for_many_at_once(ports: PortBench) -> None:
    code, statuses = await code_of(ports), list[int]()

    async def redeem() -> None:
        statuses.append((await redeemed(ports, code)).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(redeem)
    assert sorted(statuses) == [204] + [410] * 9


async def test_a_code_opens_no_other_port_and_no_console(ports: PortBench) -> None:
    other = ports.host_of(ports.silent)
    answer = await redeemed(ports, await code_of(ports), host=other, headers={"Origin": f"http://{other}"})
    assert answer.status_code == 410
    here = f"127.0.0.1:{ports.listening}"
    console = await ports.ask(
        "POST", "/api/v1/signin", host=here, token=None, json={"code": await code_of(ports)},
        headers={"Origin": f"http://{here}"},
    )  # fmt: skip
    assert console.status_code == 410


async def test_a_sign_in_is_of_one_port_alone(ports: PortBench) -> None:
    cookie = await signed_in(ports)
    answer = await ports.get(token=None, host=ports.host_of(ports.silent), headers={"Cookie": cookie})
    assert answer.status_code == 401
    api = await ports.get("/api/v1/me", token=None, host=f"127.0.0.1:{ports.listening}", headers={"Cookie": cookie})
    assert api.status_code == 401


async def test_only_the_ports_own_page_redeems(ports: PortBench) -> None:
    code = await code_of(ports)
    without = await ports.ask("POST", "/.sac/signin", token=None, json={"code": code})
    assert (without.status_code, without.json()["reason"]) == (403, "OriginNotAllowed")
    assert (await redeemed(ports, code)).status_code == 204


async def test_our_own_paths_never_reach_the_body(ports: PortBench) -> None:
    page = await ports.get("/.sac/", token=None)
    assert page.status_code == 200
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert (await ports.get("/.sac/open.js", token=None)).headers["content-type"].startswith("text/javascript")
    for path in ("/.sac/other", "/%2esac/other"):
        answer = await ports.get(path)
        assert (answer.status_code, answer.json()["reason"]) == (404, "NotFound")


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 200),
        ("GET", {"Sec-Fetch-Site": "same-origin"}, 200),
        ("GET", {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
        ("GET", NAVIGATION, 200),
        ("GET", {**NAVIGATION, "Sec-Fetch-Site": "same-site"}, 200),
        ("GET", {**NAVIGATION, "Sec-Fetch-Dest": "iframe"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, 403),
        ("POST", {}, 403),
        ("POST", NAVIGATION, 403),
        ("POST", {"Sec-Fetch-Site": "same-origin"}, 200),
        ("POST", {"Origin": "http://evil.example"}, 403),
        ("POST", {"Origin": "own"}, 200),
    ],
)
async def test_a_cookie_counts_for_the_ports_own_page_and_for_links_to_it(
    ports: PortBench, method: str, headers: dict[str, str], status: int
) -> None:
    own = {"Origin": ports.origin} if headers.get("Origin") == "own" else {}
    given = {"Cookie": await signed_in(ports), **headers, **own}
    assert (await ports.ask(method, "/echo", token=None, headers=given)).status_code == status


async def test_a_socket_with_a_cookie_needs_the_ports_own_origin(ports: PortBench) -> None:
    cookie = await signed_in(ports)
    with pytest.raises(InvalidStatus) as caught:
        async with ports.socket(token=None, headers={"Cookie": cookie}):
            raise AssertionError("it was accepted")
    assert caught.value.response.status_code == 403
    async with ports.socket(token=None, headers={"Cookie": cookie, "Origin": ports.origin}) as socket:
        assert "headers" in await socket.recv()


async def test_behind_a_cookie_authorization_is_the_applications(ports: PortBench) -> None:
    cookie = await signed_in(ports)

    async def seen(authorization: str) -> tuple[int, list[str]]:
        answer = await ports.get(token=None, headers={"Cookie": cookie, "Authorization": authorization})
        given = answer.json().get("headers", [])
        return answer.status_code, [value for name, value in given if name == "authorization"]

    assert await seen("Bearer of-the-application") == (200, ["Bearer of-the-application"])
    assert await seen("Basic dXNlcjpwYXNz") == (200, ["Basic dXNlcjpwYXNz"])
    assert await seen(f"Bearer {ports.token}") == (200, [])
    assert await seen("Bearer sac_token_of_yesterday") == (401, [])


async def test_signing_out_of_the_console_ends_what_its_links_opened(ports: PortBench) -> None:
    here = f"127.0.0.1:{ports.listening}"
    page = {"Origin": f"http://{here}"}
    code = await ports.sac.sign_in_code()
    signed = await ports.ask("POST", "/api/v1/signin", host=here, token=None, json={"code": code}, headers=page)
    page |= {"Cookie": signed.headers["set-cookie"].partition(";")[0], "X-SAC-Secret": signed.json()["secret"]}
    links = f"/api/v1/agents/web/ports/{ports.port}/links"
    link = (await ports.ask("POST", links, host=here, token=None, headers=page)).json()["url"]
    answer = await redeemed(ports, urlsplit(link).fragment.removeprefix("code="))
    cookie = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
    assert (await ports.get(token=None, headers=cookie)).status_code == 200
    async with ports.socket(token=None, headers={**cookie, "Origin": ports.origin}) as socket:
        await socket.recv()
        assert (await ports.ask("POST", "/api/v1/signout", host=here, token=None, headers=page)).status_code == 200
        with anyio.fail_after(60), pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 4401
    assert (await ports.get(token=None, headers=cookie)).status_code == 401


async def test_a_link_needs_a_declared_port(ports: PortBench) -> None:
    here = f"127.0.0.1:{ports.listening}"
    for port, status in ((ports.port, 201), (ports.listening, 404), (0, 422), ("x", 422), (70000, 422)):
        answer = await ports.ask("POST", f"/api/v1/agents/web/ports/{port}/links", host=here)
        assert answer.status_code == status
