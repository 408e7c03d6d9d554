"""`sac down`: end the server of the data directory."""

from __future__ import annotations

import os
import signal

import anyio

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.connecting import running
from sac_core.cli.place import settings_of
from sac_core.cli.progress import Progress
from sac_core.errors import DeadlineError, InvalidError

STOP_TIMEOUT = 15.0


async def down(*, common: Common = HERE) -> int:
    """End the server of the data directory; agents go on and are found again at the next start."""
    settings = settings_of(common)
    if settings.server is not None:
        raise InvalidError("only the server of this data directory can be ended", field="--server", hint="leave it out")
    server = await running(settings)
    if server is None:
        print("No server runs.")
        return 0
    os.kill(server.pid, signal.SIGTERM)
    with Progress(f"Ending the server (process {server.pid})"), anyio.move_on_after(STOP_TIMEOUT):
        while _alive(server.pid):  # noqa: ASYNC110 - no child of ours: nothing tells its end
            await anyio.sleep(0.05)
        print("The server has ended; agents go on.")
        return 0
    raise DeadlineError(f"the server (process {server.pid}) did not end within {STOP_TIMEOUT:g} s")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
