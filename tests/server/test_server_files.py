"""Files over HTTP: streams in step both ways, what ends them, what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import anyio
import httpx2
import pytest
from starlette.applications import Starlette

from sac_core.errors import InvalidError, LostError, UnavailableError
from sac_core.server import streams
from sac_core.server.app import site_of
from sac_core.wire.files import TAR, decode_cut
from server_wire import Running, until

FILES = "/api/v1/agents/a1/files"
PIECE = bytes(65536)
MIB = 1024 * 1024
TYPE = {"Content-Type": TAR}


async def quiet(sac: Running) -> int:
    """How much has passed once nothing moves any more."""
    before = -1
    with anyio.fail_after(20):
        while before != sac.core.world.passed:
            before = sac.core.world.passed
            await anyio.sleep(0.3)
    return before


async def test_an_archive_comes_as_it_is_and_is_no_page(sac: Running) -> None:
    sac.core.world.files["d/ä b"] = [b"<html>", b"", b"\0\xff" * 5000]
    answer = await sac.http.get(FILES, params={"path": "d/ä b"})
    assert answer.content == b"<html>" + b"\0\xff" * 5000
    assert answer.headers["content-type"] == TAR
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["", "/stat"])
async def test_what_is_not_there_is_a_problem_that_names_the_path(sac: Running, path: str) -> None:
    answer = await sac.http.get(FILES + path, params={"path": "nothing"})
    assert (answer.status_code, answer.json()["reason"], answer.json()["field"]) == (404, "FileNotFound", "path")
    answer = await sac.http.get(f"/api/v1/agents/nobody/files{path}", params={"path": "nothing"})
    assert (answer.status_code, answer.json()["reason"]) == (404, "NotFound")


async def test_a_path_may_have_any_byte_and_other_parameters_may_not(sac: Running) -> None:
    sac.core.world.files["caf\udce9\n"] = [b"raw"]
    assert (await sac.http.get(f"{FILES}?path=caf%E9%0A")).content == b"raw"
    assert (await sac.http.get(f"{FILES}/stat?path=caf%E9%0A")).json() == {"type": "file"}
    for wrong in (f"{FILES}?namespace=caf%E9", "/api/v1/agents?labelSelector=%E9", f"{FILES}?%E9=x"):
        answer = await sac.http.get(wrong)
        assert (answer.status_code, answer.json()["field"]) == (422, "query")


async def test_asking_for_the_head_reads_no_file(sac: Running) -> None:
    sac.core.world.files["f"] = [PIECE]
    answer = await sac.http.head(FILES, params={"path": "f"})
    assert (answer.status_code, answer.headers["content-type"], sac.core.world.passed) == (200, TAR, 0)
    assert (await sac.http.head(FILES, params={"path": "nothing"})).status_code == 404


async def test_who_reads_slowly_makes_the_body_wait_and_who_leaves_ends_it(sac: Running) -> None:
    sac.core.world.files["big"] = [PIECE] * 16 * 1024
    async with sac.http.stream("GET", FILES, params={"path": "big"}) as answer:
        pieces = answer.aiter_raw(1024)
        await anext(pieces)
        assert await quiet(sac) < 64 * MIB
        assert sac.core.world.open_streams == 1
    await until(lambda: sac.core.world.open_streams == 0)


async def test_who_reads_nothing_for_too_long_is_cut(sac: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from sac_core.server import files

    monkeypatch.setattr(files, "_PATIENCE", 0.3)
    monkeypatch.setattr(streams, "_CUTTING", 0.1)
    sac.core.world.files["big"] = [PIECE] * 16 * 1024
    async with sac.http.stream("GET", FILES, params={"path": "big"}) as answer:
        await until(lambda: sac.core.world.open_streams == 0)
        with pytest.raises(httpx2.HTTPError):
            await answer.aread()


async def test_an_archive_that_breaks_is_cut_and_says_why(sac: Running) -> None:
    error = InvalidError("d/secret: Permission denied", reason="NotReadable", field="path")
    sac.core.world.files["d"] = [b"begin", error]
    tail = bytearray()

    async def read() -> None:
        async with sac.http.stream("GET", FILES, params={"path": "d"}) as answer:
            async for data in answer.aiter_raw():
                tail.extend(data)

    with pytest.raises(httpx2.HTTPError):
        await read()
    told = decode_cut(bytes(tail))
    assert isinstance(told, InvalidError)
    assert (str(told), told.reason) == (str(error), "NotReadable")


async def test_an_archive_that_the_stopping_server_leaves_does_not_look_whole(sac: Running) -> None:
    sac.core.world.files["big"] = [PIECE] * 16 * 1024
    async with sac.http.stream("GET", FILES, params={"path": "big"}) as answer:
        await until(lambda: sac.core.world.passed > 0)
        site_of(cast(Starlette, sac.server.config.app)).live.stop()
        with pytest.raises(httpx2.HTTPError):
            await answer.aread()
    await until(lambda: sac.core.world.open_streams == 0)


async def test_an_archive_goes_in_piece_by_piece(sac: Running) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(5):
            yield b"%d" % number

    answer = await sac.http.put(FILES, params={"path": "d"}, content=pieces(), headers=TYPE)
    assert (answer.status_code, answer.content) == (204, b"")
    assert sac.core.world.uploads["d"] == b"01234"
    assert (await sac.http.put(FILES, content=b"whole", headers=TYPE)).status_code == 204
    assert sac.core.world.uploads["."] == b"whole"


@pytest.mark.parametrize("type", ["application/json", "application/gzip", "text/html", ""])
async def test_another_type_is_refused(sac: Running, type: str) -> None:
    answer = await sac.http.put(FILES, content=b"x", headers={"Content-Type": type})
    assert (answer.status_code, answer.json()["field"]) == (415, "Content-Type")
    assert sac.core.world.uploads == {}


async def test_a_body_that_takes_nothing_makes_its_sender_wait_and_who_leaves_ends_it(sac: Running) -> None:
    sac.core.world.gate = anyio.Event()
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += len(PIECE)
            yield PIECE

    async def put() -> None:
        await sac.http.put(FILES, content=endless(), headers=TYPE, timeout=60)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(put)
        await until(lambda: sac.core.world.open_streams == 1)
        before = -1
        with anyio.fail_after(20):
            while before != sent:
                before = sent
                await anyio.sleep(0.3)
        assert sent < 64 * MIB
        tasks.cancel_scope.cancel()
    sac.core.world.gate.set()
    await until(lambda: sac.core.world.open_streams == 0)


@pytest.mark.parametrize("error", [UnavailableError("d: full", reason="DiskFull"), LostError("it has gone")])
async def test_a_refusal_in_the_middle_reaches_who_still_sends(sac: Running, error: Any) -> None:
    sac.core.world.refusal = error

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(128):
            yield PIECE

    answer = await sac.http.put(FILES, content=pieces(), headers=TYPE, timeout=60)
    assert answer.json()["reason"] == error.reason
    assert sac.core.world.open_streams == 0
