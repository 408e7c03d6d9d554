"""HTTP to a server in a body, by its own host name: whole, in pieces, both ways, and to nobody else."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import anyio
import httpx2
import psutil
import pytest

from live_server import until
from port_app import BLOCK
from port_bench import PortBench
from sac_core.models.principal import Principal

MIB = 2**20


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """asyncio only; one agent serves the whole module."""
    return "asyncio"


def header(answer: httpx2.Response, name: str) -> list[str]:
    """The values of a header as the body got them."""
    return [value for key, value in answer.json()["headers"] if key == name]


async def test_a_request_reaches_the_agents_server_as_it_was_made(ports: PortBench) -> None:
    answer = await ports.ask("PUT", "/echo?a=%2F&b=ü", content=b"x", headers={"X-Custom": "1"})
    assert answer.json()["method"] == "PUT"
    assert answer.json()["target"] == "/echo?a=%2F&b=%C3%BC"
    assert header(answer, "host") == [ports.host] == header(answer, "x-forwarded-host")
    assert header(answer, "x-forwarded-for") == ["127.0.0.1"]
    assert header(answer, "x-custom") == ["1"]


async def test_the_credentials_never_reach_the_body(ports: PortBench) -> None:
    answer = await ports.get(headers={"Cookie": "sac-8765-00=canary; theme=dark", "X-SAC-Secret": "canary"})
    assert header(answer, "cookie") == ["theme=dark"]
    assert "canary" not in answer.text
    assert ports.token not in answer.text


async def test_without_a_credential_nothing_is_served(ports: PortBench) -> None:
    answer = await ports.get(token=None)
    assert answer.status_code == 401
    assert answer.json()["reason"] == "Unauthenticated"
    page = await ports.get(token=None, headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert "sac open" in page.text
    assert (await ports.get(token="wrong-token-of-nobody")).status_code == 401


async def test_answers_have_their_status_and_headers(ports: PortBench) -> None:
    answer = await ports.get("/say?status=404&x-own=1&set-cookie=a%3D1%3B+Domain%3Dlocalhost&set-cookie=b%3D2")
    assert (answer.status_code, answer.text, answer.headers["x-own"]) == (404, "said", "1")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert len(answer.headers.get_list("date")) == 1
    assert "content-security-policy" not in answer.headers


async def test_head_and_empty_answers_work(ports: PortBench) -> None:
    assert (await ports.ask("HEAD", "/say")).headers["content-length"] == "4"
    assert (await ports.get("/say?status=204")).status_code == 204
    assert (await ports.get("/say?status=304")).status_code == 304


async def test_the_api_is_not_served_there_and_the_port_not_elsewhere(ports: PortBench) -> None:
    for path in ("/api/v1/me", "/openapi.json", "/livez", "/api/v1/signin"):
        answer = await ports.get(path)
        assert (answer.status_code, answer.text) == (404, "Not Found"), path
    here = await ports.get("/echo", host=f"localhost:{ports.listening}")
    assert here.json()["reason"] == "NotFound"


@pytest.mark.parametrize("host", ["evil.example:{port}", "p1-x.evil.example:{port}", "{name}.evil.example:{port}"])
async def test_a_name_that_was_bound_again_opens_nothing(ports: PortBench, host: str) -> None:
    name = ports.host.partition(".")[0]
    answer = await ports.get(host=host.format(port=ports.listening, name=name))
    assert (answer.status_code, answer.json()["reason"]) == (400, "HostNotAllowed")


async def test_a_page_of_another_origin_may_not_ask(ports: PortBench) -> None:
    for origin in ("http://evil.example", "null", ports.origin + "0", ports.origin.replace("http", "https")):
        answer = await ports.get(headers={"Origin": origin})
        assert (answer.status_code, answer.json()["reason"]) == (403, "OriginNotAllowed")
    assert (await ports.get(headers={"Origin": ports.origin})).status_code == 200


async def test_what_is_not_declared_or_not_there_is_404(ports: PortBench) -> None:
    undeclared = await ports.get(host=ports.host_of(ports.listening))
    assert (undeclared.status_code, undeclared.json()["field"]) == (404, "port")
    nobody = await ports.get(host=ports.host_of(ports.port, "0" * 32))
    assert nobody.status_code == 404


async def test_an_agent_of_another_tenant_is_404(ports: PortBench, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = Principal("user", "other", tenant="other", tenants=frozenset({"other"}), permissions=frozenset({"*"}))
    watcher = Principal("user", "watcher", permissions=frozenset({"agents:get"}))
    for principal, status in ((stranger, 404), (watcher, 403)):
        monkeypatch.setattr("sac_core.builtin.token.LOCAL", principal)
        assert (await ports.get()).status_code == status


async def test_a_large_answer_comes_in_pieces(ports: PortBench) -> None:
    before, digest, size = psutil.Process().memory_info().rss, hashlib.sha256(), 0
    request = ports.http.build_request(
        "GET", f"/big?bytes={200 * MIB}", headers={**ports.headers(), "Host": ports.host}
    )
    answer = await ports.http.send(request, stream=True)
    async for piece in answer.aiter_raw():
        digest.update(piece)
        size += len(piece)
    await answer.aclose()
    expected = hashlib.sha256()
    for _ in range(200 * MIB // len(BLOCK)):
        expected.update(BLOCK)
    assert (size, digest.hexdigest()) == (200 * MIB, expected.hexdigest())
    assert psutil.Process().memory_info().rss - before < 64 * MIB


async def test_who_does_not_read_is_waited_for(ports: PortBench) -> None:
    before = psutil.Process().memory_info().rss
    request = ports.http.build_request(
        "GET", f"/big?bytes={500 * MIB}", headers={**ports.headers(), "Host": ports.host}
    )
    answer = await ports.http.send(request, stream=True)
    await anyio.sleep(1)  # so long a server that does not wait would take it all
    assert psutil.Process().memory_info().rss - before < 64 * MIB
    await answer.aclose()


async def test_an_upload_in_pieces_arrives_whole(ports: PortBench) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield BLOCK
            await anyio.sleep(0.02)

    answer = await ports.ask("POST", "/upload", content=slowly())
    assert answer.json() == {"size": 20 * len(BLOCK), "sha256": hashlib.sha256(BLOCK * 20).hexdigest()}
    sized = await ports.ask("POST", "/upload", content=BLOCK * 100)
    assert sized.json()["size"] == 100 * len(BLOCK)


@pytest.mark.parametrize(("token", "status"), [("", 413), (None, 401)])
async def test_an_answer_that_comes_early_ends_the_upload(ports: PortBench, token: str | None, status: int) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield BLOCK
            await anyio.sleep(0.01)

    with anyio.fail_after(60):
        try:
            answer = await ports.ask("POST", "/early", token=token, content=endless())
        except httpx2.TransportError:  # the client was cut off while it sent, which is as good
            return
    assert answer.status_code in (status, 502)  # a server that leaves at once may leave before it is heard


async def test_events_come_one_by_one_and_end_with_their_client(ports: PortBench) -> None:
    request = ports.http.build_request("GET", "/events", headers={**ports.headers(), "Host": ports.host})
    answer = await ports.http.send(request, stream=True)
    seen = ""
    with anyio.fail_after(60):
        async for piece in answer.aiter_text():
            seen += piece
            if "data: 5\n\n" in seen:
                break
    await answer.aclose()
    await ports.noted("events ended")


async def test_a_hundred_requests_at_once(ports: PortBench) -> None:
    sizes = dict.fromkeys(range(100), 0)

    async def ask(number: int) -> None:
        async with httpx2.AsyncClient(base_url=str(ports.http.base_url), timeout=60, trust_env=False) as http:

            async def answered() -> httpx2.Response | None:
                """A database that is asked too much at once says so, and answers when it is asked again."""
                answer = await http.get(f"/big?bytes={number * 1000}", headers={**ports.headers(), "Host": ports.host})
                return None if answer.status_code == 503 else answer

            sizes[number] = len((await until(answered, seconds=60)).content)

    async with anyio.create_task_group() as tasks:
        for number in sizes:
            tasks.start_soon(ask, number)
    assert sizes == {number: number * 1000 for number in range(100)}
