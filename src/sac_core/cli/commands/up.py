"""`sac up`: the server in front, with the console."""

from __future__ import annotations

import sys
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common, Switch
from sac_core.cli.connecting import open_server
from sac_core.cli.place import Server, read_token, settings_of
from sac_core.cli.progress import printable
from sac_core.errors import ConfigurationError, SacError
from sac_core.server import is_loopback, serve
from sac_core.settings import Settings

if TYPE_CHECKING:
    from sac_core.server import ServerInfo


def up(
    *,
    port: int | None = None,
    host: str | None = None,
    database: str | None = None,
    open: Switch = False,
    background_child: Annotated[bool, Parameter(show=False, negative=())] = False,
    common: Common = HERE,
) -> int:
    """Run the server here until Ctrl-C, and print the link of the console. Agents go on without it.

    A server for others prints no link, for who reads its output is not always who may sign in.

    Parameters
    ----------
    port
        TCP port, 8765 if not given; 0 takes a free one. Also SAC_PORT.
    host
        Address to listen on, 127.0.0.1 if not given. Another one needs SAC_ORIGINS and SAC_TOKEN.
    database
        URL of a PostgreSQL database, postgresql://USER@HOST/NAME; SQLite in the data directory if not given. Give one
        with a password as SAC_DATABASE: what stands on a command line can be read by others.
    open
        Open the link in the browser.
    """
    settings = settings_of(common, port=port, host=host, database=database)
    if background_child:
        return _serve_behind(settings)
    if is_loopback(settings.host):
        serve(settings, ready=lambda info: _announce(settings.data_dir, info, browser=open))
    else:
        serve(settings, ready=lambda info: _say_open(settings, info))
    print("Stopped. Agents go on; `sac up` finds them again.", file=sys.stderr)
    return 0


def _serve_behind(settings: Settings) -> int:
    """Started by another command: a taken port is no reason to fail unless the user chose it."""
    try:
        serve(settings)
    except ConfigurationError as error:
        if error.field != "SAC_PORT" or "port" in settings.model_fields_set or "already running" in error.message:
            raise
        serve(settings.model_copy(update={"port": 0}))
    return 0


def _announce(folder: Path, info: ServerInfo, *, browser: bool) -> None:
    """Ask for a sign-in code as any client does; in a thread, because the server serves in this one."""
    threading.Thread(target=_print_link, args=(folder, info, browser), daemon=True).start()


def _say_open(settings: Settings, info: ServerInfo) -> None:
    addresses = "\n".join(f"    {origin}" for origin in settings.origins)
    print(f"SAC is ready, for others too:\n\n{addresses or settings.host}\n\n{where(info)}\n", flush=True)
    print("`sac console --server ADDRESS` prints a link, where SAC_TOKEN is set.", flush=True)


def _print_link(folder: Path, info: ServerInfo, browser: bool) -> None:
    server = Server(info.url, Path(info.socket) if info.socket else None, read_token(folder))
    try:
        link = anyio.run(sign_in_link, server)
    except SacError as error:
        print(f"sac: {error}", file=sys.stderr)
        return
    print(f"SAC is ready. Open this link (it signs in once, within ten minutes):\n\n    {link}\n", flush=True)
    print(f"{where(info)}\n", flush=True)
    print("Ctrl-C stops the server, not the agents. `sac console` prints a fresh link.", flush=True)
    if browser:
        webbrowser.open(link)


def where(info: ServerInfo) -> str:
    """On what agents run that name no executor, and why on that, for people."""
    sandboxes = f"in sandboxes of {info.executor!r}" if info.isolated else f"on {info.executor!r}, which is no sandbox"
    if not info.why:
        return f"Agents that name no executor run {sandboxes}: see `sac doctor`."
    reasons = [line for reason in info.why for line in reason.splitlines()]
    return "\n    ".join([f"Agents that name no executor run {sandboxes}:", *map(printable, reasons)])


async def sign_in_link(server: Server) -> str:
    """A link to the console with a single-use code in its fragment, which browsers send to nobody."""
    async with open_server(server) as sac:
        return f"{server.url}/#code={await sac.sign_in_code()}"
