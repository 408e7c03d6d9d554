"""From the command line to a `Sac`: the named server, or that of the data directory, started when none runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sac_core.cli import background
from sac_core.cli.arguments import Common
from sac_core.cli.place import Server, announced, named, settings_of
from sac_core.client import connect
from sac_core.client.surface import HttpSac
from sac_core.errors import UnauthenticatedError, UnavailableError
from sac_core.settings import Settings


@asynccontextmanager
async def connected(common: Common, *, start: bool = True) -> AsyncIterator[HttpSac]:
    """A `Sac`. ``start`` False raises `UnavailableError` when the data directory has no running server."""
    settings = settings_of(common)
    server = named(settings) or await _local(settings, start=start)
    async with open_server(server) as sac:
        yield sac


@asynccontextmanager
async def open_server(server: Server) -> AsyncIterator[HttpSac]:
    """A `Sac` on one server."""
    async with connect(server.url, server.token, socket=server.socket) as sac:
        yield sac


async def running(settings: Settings) -> Server | None:
    """The data directory's server, if it answers."""
    server = announced(settings.data_dir)
    if server is None:
        return None
    try:
        async with open_server(server):
            return server
    except UnavailableError:
        return None
    except UnauthenticatedError:  # it answers, but another server has that address now
        return None


async def _local(settings: Settings, *, start: bool) -> Server:
    server = await running(settings)
    if server is not None:
        return server
    if not start:
        raise UnavailableError(f"no server runs for {settings.data_dir}", hint="start one with `sac up`")
    return await background.start(settings, running)
