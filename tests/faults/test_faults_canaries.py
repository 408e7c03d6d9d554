"""Promise 9 for the whole of SAC: a value is in the processes that it is for, in nothing that SAC writes or says."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import httpx2
import pytest

from git_server import GitServer
from sac_core.client.surface import HttpSac
from sac_core.errors import LaunchError, SacError
from sac_core.models.change import Synced
from sac_core.testing.fixtures import eventually

if TYPE_CHECKING:
    from live_server import LiveServer

Sinks = dict[str, bytes]
"""Everything that can be read of SAC, by where."""


def forms(value: str) -> Iterator[bytes]:
    """What a value looks like in the encodings that something may write it in."""
    data = value.encode()
    yield data
    yield data.hex().encode()
    yield quote(value, safe="").encode()
    yield json.dumps(value)[1:-1].encode()
    yield value.encode("utf-16-le")
    for shift in range(3):  # base64 of a longer text looks different by where the value begins in it
        yield base64.b64encode(b"x" * shift + data)[4:-4]


def places(sinks: Sinks, value: str) -> set[str]:
    """Where a value is found."""
    return {where for where, data in sinks.items() for form in forms(value) if form in data}


@pytest.fixture
def canary() -> str:
    return f"Canary/{uuid4().hex}+{uuid4().hex}"


@pytest.fixture
def plain() -> str:
    """A value that is given as an ordinary variable: that one has to be found, or the search looks nowhere."""
    return f"Plain/{uuid4().hex}+{uuid4().hex}"


async def test_a_secret_is_in_no_sink(live: LiveServer, canary: str, plain: str) -> None:
    async with live.client() as sac:
        told = await use(sac, canary, plain)
        body = live.folder / "executors" / "process" / "bodies" / (await sac.agents.get("a1")).metadata.uid
        delivered = body / "secrets" / "git" / "token"
        assert delivered.read_text() == canary
        sinks = told | await answers(live) | await commands(live) | processes(live) | files(live.folder, delivered)
    sinks["what the server printed"] = live.said.encode()
    assert places(sinks, canary) == set()
    found = places(sinks, plain)
    assert {"sac.db", "GET /api/v1/agents", "an event"} <= {where.removesuffix("-wal") for where in found}
    live.kill()
    assert places(files(live.folder, delivered), canary) == set()


async def test_a_password_of_git_is_in_no_sink(live: LiveServer, git_server: GitServer, canary: str) -> None:
    git_server.password = canary
    git_server.go.clear()
    async with live.client() as sac:
        await sac.secrets.put("login", {"username": "ann", "password": canary}, type="basic-auth")
        await sac.secrets.put("token", canary)
        git = {"url": git_server.url, "secret": "login"}
        await sac.agents.create("a1", {"command": ["sleep", "3600"], "workspace": {"git": git}})

        async def asked() -> bool:
            return any(path.endswith("/git-upload-pack") for path, _ in git_server.requests)

        await eventually(asked, 20)
        meanwhile = processes(live) | files(live.folder)
        assert any(git_server.url.encode() in data for data in meanwhile.values()), "git was to be seen at its work"
        assert places(meanwhile, canary) == set()
        git_server.go.set()
        await sac.agents.wait("a1", timeout=30)
        git_server.broken, git_server.says = 403, f"you sent {canary}"
        await sac.agents.create("a2", {"workspace": {"git": git}})
        with pytest.raises(LaunchError) as refused:
            await sac.agents.wait("a2", timeout=30)
        sinks = await answers(live) | await commands(live) | files(live.folder)
    sinks |= {"the error": repr(vars(refused.value)).encode(), "what the server printed": live.said.encode()}
    assert places(sinks, canary) == set()


async def use(sac: HttpSac, canary: str, plain: str) -> Sinks:
    """A life of a secret: written, bound, used by every kind of process, changed, provoked; what was told meanwhile."""
    seen: list[Any] = []
    async with aclosing(sac.watch()) as changes:
        async for change in changes:
            seen.append(change)
            if isinstance(change, Synced):
                await live_through(sac, canary, plain)
                await sac.agents.create("last")
            elif change.object.metadata.name == "last":
                break
    sinks = {"an event": repr(seen).encode()}
    return sinks | {f"error {number}": data for number, data in enumerate([one async for one in errors(sac, canary)])}


async def live_through(sac: HttpSac, canary: str, plain: str) -> None:
    await sac.secrets.put("token", canary, labels={"app": "demo"})
    await sac.secrets.put("login", {"username": "ann", "password": canary}, type="basic-auth")
    spec = {
        "command": ["sh", "-c", 'test "$TOKEN" && exec sleep 3600'],
        "env": {"PLAIN": plain},
        "secrets": [
            {"name": "token", "env": "TOKEN"},
            {"name": "login", "key": "password", "env": "PASSWORD"},
            {"name": "token", "file": "git/token"},
        ],
    }
    await sac.agents.create("a1", spec)
    await sac.agents.wait("a1", timeout=20)
    assert (
        await sac.exec("a1", ["sh", "-c", "echo ${#TOKEN} ${#PASSWORD}"])
    ).stdout == f"{len(canary)} {len(canary)}\n"
    session = await sac.sessions.create("a1", command=["sh", "-c", 'test "$TOKEN" && exec cat'])
    async with sac.sessions.attach(session.metadata.name) as terminal:
        await terminal.write(b"hello\n")
    await sac.secrets.put("token", canary)
    await sac.agents.restart("a1")
    await sac.agents.wait("a1", timeout=20)

    async def delivered() -> bool:
        return [one.version for one in (await sac.agents.get("a1")).status.secrets] == [2, 1]

    await eventually(delivered)


async def errors(sac: HttpSac, canary: str) -> Any:
    """Answers to what is wrong with a value in it, as far as it is given where a secret belongs."""
    for spec in (
        {"type": "nosuch", "data": {"value": canary}},
        {"data": {"value": {"base64": f"{canary}!"}}},
        {"data": {"value": {"base65": canary}}},
        {"data": {"value": [canary]}},
        {"data": canary},
        {"value": canary},
    ):
        try:
            await sac.secrets.create_from({"metadata": {"name": "wrong"}, "spec": spec})
        except SacError as error:
            yield f"{error!r} {error} {vars(error)}".encode()
        else:
            raise AssertionError(f"it was taken: {list(spec)}")


async def answers(live: LiveServer) -> Sinks:
    """What the server answers to whoever may ask everything."""
    paths = ["/openapi.json", *(f"/api/v1/{name}" for name in ("kinds", "plugins", "status", "me"))]
    for kind, names in {"agents": ["a1"], "secrets": ["token", "login"], "sessions": []}.items():
        paths += [f"/api/v1/{kind}", *(f"/api/v1/{kind}/{name}" for name in names)]
    paths += ["/api/v1/agents/a1/timeline", "/api/v1/agents/a1/logs"]
    found: Sinks = {}
    async with httpx2.AsyncClient(base_url=live.url, headers={"Authorization": f"Bearer {live.token}"}) as http:
        for path in paths:
            answer = await http.get(path)
            assert answer.status_code == 200, (path, answer.text)
            found[f"GET {path}"] = answer.content + repr(answer.headers).encode()
    return found


async def commands(live: LiveServer) -> Sinks:
    """What people are shown."""
    given = [("describe", "a1"), ("doctor",), ("secrets", "list", "-o", "json"), ("get", "agents", "-o", "yaml")]
    done = [(args, await live.run(*args)) for args in given]
    return {f"sac {' '.join(args)}": one.stdout + one.stderr for args, one in done}


def processes(live: LiveServer) -> Sinks:
    """What others see of processes, and the environment of SAC's own."""
    assert live.process is not None
    own = [live.process.pid, *(holder.pid for holder in live.holders())]
    assert len(own) > 1
    shown = {f"arguments of {path.parent.name}": path for path in Path("/proc").glob("[0-9]*/cmdline")}
    shown |= {f"environment of {pid}": Path(f"/proc/{pid}/environ") for pid in own}
    return {where: data for where, path in shown.items() if (data := read(path)) is not None}


def files(folder: Path, delivered: Path | None = None) -> Sinks:
    """Every file of the data directory but the one that is to hold it; the database with its log of writes."""
    found = {str(path.relative_to(folder)): read(path) for path in folder.rglob("*") if path.is_file()}
    if delivered is not None:
        found.pop(str(delivered.relative_to(folder)), None)
    assert "sac.db-wal" in found
    return {where: data for where, data in found.items() if data is not None}


def read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:  # a process that has just ended
        return None
