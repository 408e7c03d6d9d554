"""Local mode: the listening sockets, what the data directory says, signals."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from sac_core.errors import ConfigurationError
from sac_core.hooks.records import AuthenticatorPlugin
from sac_core.server import local
from sac_core.server.announce import ServerInfo
from sac_core.server.listeners import is_loopback, listen_tcp
from sac_core.settings import Settings
from sac_core.testing.serving import serving
from server_fakes import TOKEN, FakeCore

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("d")


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A fake core in place of the real one; what happens to it."""
    told: list[str] = []

    @asynccontextmanager
    async def open_fake(settings: Settings) -> AsyncIterator[Any]:
        core = FakeCore(settings.data_dir)
        core.settings = settings
        told.append("open")
        try:
            yield core
        finally:
            told.append("closed")

    monkeypatch.setattr(local, "open_core", open_fake)
    return told


async def test_a_refused_socket_is_no_error_of_the_server(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(Settings(data_dir=folder, port=0)) as info:
        address = info.url.replace("http:", "ws:") + "/api/v1/events"
        with pytest.raises(InvalidStatus) as caught:
            async with connect(address, subprotocols=[Subprotocol("sac.events.v1")]):
                raise AssertionError("nobody was asked who comes")
        assert caught.value.response.status_code == 401
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_what_the_data_directory_says(folder: Path) -> None:
    async with serving(Settings(data_dir=folder, port=0)) as info:
        said = json.loads((folder / "server.json").read_text())
        assert said == {
            "url": info.url, "socket": str(folder / "sac.sock"), "pid": os.getpid(), "version": info.version,
            "started": info.started, "executor": "process", "isolated": False,
            "why": ["process is ready; SAC_DEFAULT_EXECUTOR names another"],
        }  # fmt: skip
        assert info.url.startswith("http://127.0.0.1:")
        for name in ("server.json", "sac.sock"):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        async with httpx2.AsyncClient() as http:
            assert (await http.get(f"{info.url}/api/v1/agents", headers=BEARER)).status_code == 200
    assert not (folder / "server.json").exists()
    assert not (folder / "sac.sock").exists()


async def test_the_unix_socket_asks_for_the_token_too(folder: Path) -> None:
    async with serving(Settings(data_dir=folder, port=0)) as info:
        transport = httpx2.AsyncHTTPTransport(uds=info.socket)
        async with httpx2.AsyncClient(transport=transport) as http:
            for host in ("sac", "localhost"):
                assert (await http.get(f"http://{host}/api/v1/agents", headers=BEARER)).status_code == 200
                assert (await http.get(f"http://{host}/api/v1/agents")).status_code == 401
            assert (await http.get("http://evil/api/v1/agents", headers=BEARER)).status_code == 400


async def test_a_path_too_long_for_a_unix_socket_goes_without(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    async with serving(Settings(data_dir=folder, port=0)) as info:
        assert info.socket is None


async def test_a_socket_that_a_killed_server_left_is_replaced(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "sac.sock"))
    (folder / "server.json").write_text("{")
    async with serving(Settings(data_dir=folder, port=0)):
        assert json.loads((folder / "server.json").read_text())["pid"] == os.getpid()


async def test_a_taken_port_names_it_and_the_way_out(folder: Path, opened: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"port {port} .*SAC_PORT=.*sac up --port"):
            await local.serve_here(Settings(data_dir=folder, port=port))
    assert opened == []


async def test_a_port_taken_by_our_own_server_says_so(folder: Path) -> None:
    async with serving(Settings(data_dir=folder, port=0)) as info:
        port = int(info.url.rsplit(":", 1)[1])
        with pytest.raises(ConfigurationError, match=f"already running for this data directory at {info.url}"):
            await local.serve_here(Settings(data_dir=folder, port=port))
        assert (folder / "server.json").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_another_address_than_loopback_needs_an_authenticator(folder: Path, host: str, opened: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="SAC_HOST"):
        await local.serve_here(Settings(data_dir=folder, port=0, host=host))
    assert opened == ["open", "closed"]
    assert not (folder / "server.json").exists()


@pytest.mark.parametrize(
    ("given", "open"),
    [
        ({"origins": ("https://sac.example",), "token": "x" * 32}, True),
        ({"origins": ("https://sac.example",), "token": "x" * 31}, False),
        ({"origins": ("https://sac.example",)}, False),
        ({"token": "x" * 32}, False),
    ],
)
async def test_or_addresses_and_a_token_that_were_chosen_for_others(
    folder: Path, given: dict[str, Any], open: bool
) -> None:
    settings = Settings(data_dir=folder, port=0, host="0.0.0.0", **given)
    if not open:
        with pytest.raises(ConfigurationError, match=r"SAC_TOKEN with 32 .* SAC_ORIGINS"):
            await local.serve_here(settings)
        return
    async with serving(settings) as info:
        assert info.url.startswith("http://127.0.0.1:")
        async with httpx2.AsyncClient() as http:
            for host, status in (("sac.example", 200), (info.url[7:], 200), ("evil.example", 400)):
                answer = await http.get(f"{info.url}/api/v1/agents", headers=BEARER | {"Host": host})
                assert answer.status_code == status, host


async def test_an_authenticator_of_another_kind_opens_it(folder: Path) -> None:
    core = FakeCore(folder)
    plugin = AuthenticatorPlugin("jwt", "", open=None)  # type: ignore[arg-type]
    core.settings = Settings(data_dir=folder, host="0.0.0.0")
    core.registry = core.registry.__class__(authenticators={"token": plugin, "jwt": plugin})
    local._refuse_open_door(core.real)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("10.0.0.1", False), ("localhost.evil.com", False), ("", False)],
)  # fmt: skip
def test_what_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"192\.0\.2\.1"):
        listen_tcp(Settings(host="192.0.2.1", port=0))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_server_and_closes_the_core(folder: Path, opened: list[str], number: signal.Signals) -> None:
    infos: list[ServerInfo] = []

    def ready(info: ServerInfo) -> None:
        infos.append(info)
        os.kill(os.getpid(), number)

    local.serve(Settings(data_dir=folder, port=0), ready=ready)
    assert len(infos) == 1
    assert opened == ["open", "closed"]
    assert not (folder / "server.json").exists()
