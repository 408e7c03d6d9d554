"""The verbs of a kind over HTTP, and bad input to them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from sac_core.errors import UnavailableError
from server_fakes import TOKEN, agent
from server_wire import Running

BEARER = f"Authorization: Bearer {TOKEN}"
JSON = "Content-Type: application/json"


async def test_create_read_change_delete(sac: Running) -> None:
    made = await sac.http.post("/api/v1/agents", json={"metadata": {"name": "b"}}, headers={"Idempotency-Key": "k1"})
    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/agents/b"
    assert sac.core.world.keys == ["k1"]
    version = made.json()["metadata"]["resourceVersion"]
    assert made.headers["etag"] == f'"{version}"'

    patch = {"spec": {"state": "Stopped"}}
    kind = {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    changed = await sac.http.patch(
        "/api/v1/agents/b", content=json.dumps(patch), headers={**kind, "If-Match": made.headers["etag"]}
    )
    assert (changed.status_code, changed.json()["spec"]["state"]) == (200, "Stopped")
    stale = await sac.http.put("/api/v1/agents/b", json=patch, headers={"If-Match": f'"{version}"'})
    assert stale.status_code == 409
    assert stale.json()["current"] == changed.json()["metadata"]["resourceVersion"]

    for verb, state in (("start", "Running"), ("stop", "Stopped"), ("restart", "Running")):
        assert (await sac.http.post(f"/api/v1/agents/b/{verb}")).json()["spec"]["state"] == state
    gone = await sac.http.delete("/api/v1/agents/b")
    assert (gone.status_code, gone.json()) == (202, {})
    assert (await sac.http.get("/api/v1/agents/b")).status_code == 404


async def test_a_list_comes_in_pages(sac: Running) -> None:
    sac.core.world.put("default", "ADDED", agent("a2"))
    first = (await sac.http.get("/api/v1/agents", params={"limit": 1})).json()
    assert (first["kind"], first["apiVersion"]) == ("AgentList", "sac/v1")
    assert [item["metadata"]["name"] for item in first["items"]] == ["a1"]
    assert first["metadata"]["resourceVersion"] == str(sac.core.world.version)
    token = first["metadata"]["continue"]
    last = (await sac.http.get("/api/v1/agents", params={"limit": 1, "continue": token})).json()
    assert [item["metadata"]["name"] for item in last["items"]] == ["a2"]
    assert "continue" not in last["metadata"]


async def test_a_name_may_be_made(sac: Running) -> None:
    made = await sac.http.post("/api/v1/sessions", json={"spec": {"agent": "a1", "command": ["bash"]}})
    assert made.status_code == 201
    assert made.headers["location"].endswith(made.json()["metadata"]["name"])


@pytest.mark.parametrize(
    ("body", "status", "reason", "field"),
    [
        (b"", 422, "Invalid", "body"),
        (b"{", 422, "Invalid", "body"),
        (b"[]", 422, "Invalid", "body"),
        (b'"x"', 422, "Invalid", "body"),
        (b"\xff\xfe{}", 422, "Invalid", "body"),
        (b'{"metadata": {"name": "\\ud800"}}', 422, "Invalid", "body"),
        (b'{"metadata": {"name": "b"}, "spec": {"startTimeout": NaN}}', 422, "Invalid", "body"),
        (b'{"metadata": {"name": "b"}, "surprise": 1}', 422, "Invalid", "surprise"),
        (b'{"metadata": {"name": "b"}, "spec": {"surprise": 1}}', 422, "Invalid", "spec.surprise"),
        (b'{"metadata": {"name": "No_Label"}}', 422, "Invalid", "metadata.name"),
        (b'{"metadata": {"name": "a1"}}', 409, "AlreadyExists", "metadata.name"),
        (b'{"metadata": {"name": "b"}, "spec": {}, "metadata": {"name": "c"}}', 422, "Invalid", "metadata"),
        (b'{"metadata": {"name": "b", "name": "c"}}', 422, "Invalid", "name"),
        (b'{"metadata": {"name": "b"}, "spec": {"env": {"A": "1", "\\u0041": "2"}}}', 422, "Invalid", "A"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, 422, "TooDeep", "body"),
        (b'{"a":' + b"[" * 200_000, 422, "TooDeep", "body"),
        (b'{"a": "' + b"x" * 1024 * 1024 + b'"}', 413, "TooLarge", "body"),
    ],
)
async def test_a_bad_body_has_a_clear_outcome(sac: Running, body: bytes, status: int, reason: str, field: str) -> None:
    before = dict(sac.core.world.things)
    answer = await sac.raw("POST", "/api/v1/agents", BEARER, JSON, body=body)
    assert (answer.status, answer.document["reason"], answer.document["field"]) == (status, reason, field)
    assert sac.core.world.things == before


async def test_depth_within_the_bound_and_brackets_in_strings_are_taken(sac: Running) -> None:
    deep: object = 1
    for _ in range(28):
        deep = {"a": deep}
    options = {"deep": deep, "text": "[{" * 100 + '"\\' + "[" * 40}
    answer = await sac.http.post("/api/v1/agents", json={"metadata": {"name": "b"}, "spec": {"options": options}})
    assert answer.status_code == 201
    assert answer.json()["spec"]["options"] == options


async def test_a_body_in_chunks_is_bounded_too(sac: Running) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 65536

    answer = await sac.http.post(
        "/api/v1/agents",
        content=endless(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "kind", ["", "Content-Type: text/plain", "Content-Type: application/jsonx", "Content-Type: */*"]
)
async def test_another_type_of_body_is_415(sac: Running, kind: str) -> None:
    answer = await sac.raw("POST", "/api/v1/agents", BEARER, *([kind] if kind else []), body=b"{}")
    assert answer.status == 415
    assert answer.document["reason"] == "UnsupportedMediaType"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("surprise=1", "surprise"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "query"),
        ("watch=maybe", "watch"),
        ("labelSelector=(", "labelSelector"),
        ("labelSelector=" + "x" * 5000, "query"),
        ("a=%ff", "query"),
        ("&".join(f"a{n}=1" for n in range(50)), "query"),
    ],
)
async def test_a_bad_query_names_the_parameter(sac: Running, query: str, field: str) -> None:
    answer = await sac.raw("GET", f"/api/v1/agents?{query}", BEARER)
    assert (answer.status, answer.document["field"]) == (422, field)


async def test_a_bad_idempotency_key_is_refused(sac: Running) -> None:
    for key in ("x" * 256, "\x80"):
        answer = await sac.raw("POST", "/api/v1/agents", BEARER, JSON, f"Idempotency-Key: {key}", body=b"{}")
        assert answer.document["field"] == "Idempotency-Key"


async def test_exec_to_the_end(sac: Running) -> None:
    done = await sac.http.post("/api/v1/agents/a1/exec", json={"argv": ["echo", "hi"]})
    assert done.json() == {"code": 0, "reason": "", "stdout": "echo hi", "stderr": "", "truncated": False}
    empty = await sac.http.post("/api/v1/agents/a1/exec", json={"argv": []})
    assert (empty.status_code, empty.json()["field"]) == (422, "argv")
    await sac.http.post("/api/v1/agents/a1/stop")
    early = await sac.http.post("/api/v1/agents/a1/exec", json={"argv": ["echo"]})
    assert (early.status_code, early.json()["reason"]) == (425, "NotReady")


async def test_a_failure_of_ours_tells_nothing_but_where_to_look(
    sac: Running, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await sac.http.post("/api/v1/agents/a1/exec", json={"argv": ["explode"]})
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert answer.headers["x-request-id"] in answer.json()["hint"]
    assert answer.headers["x-request-id"] in caplog.text


async def test_retry_after_is_said(sac: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(name: str) -> None:
        raise UnavailableError("the disk is full", retry_after=2.4)

    monkeypatch.setattr(sac.core.signins, "is_signed_in", full)
    answer = await sac.raw("GET", "/readyz")
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert (await sac.raw("GET", "/livez")).status == 200


async def test_what_sac_says_about_itself(sac: Running) -> None:
    assert (await sac.http.get("/api/v1/plugins")).json()["items"][0]["isolated"] is False
    assert (await sac.http.get("/api/v1/status")).json()["defaultExecutor"] == "process"
    kinds = {kind["plural"]: kind for kind in (await sac.http.get("/api/v1/kinds")).json()["items"]}
    assert kinds["sessions"]["verbs"] == ["list", "create", "get", "delete"]
    assert kinds["agents"]["columns"][0] == {"title": "NAME", "path": "metadata.name"}
    assert "startTimeout" in kinds["agents"]["spec"]["properties"]
    for path in ("/livez", "/readyz", "/health", "/ready"):
        assert (await sac.raw("GET", path)).document == {"status": "ok"}
