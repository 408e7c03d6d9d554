"""`sac keys`: the root keys, and the change to a new one with its progress."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import anyio
from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.connecting import connected
from sac_core.cli.progress import Progress
from sac_core.cli.tables import aligned, dumped
from sac_core.client.surface import HttpSac
from sac_core.errors import DeadlineError, UnavailableError
from sac_core.models.keys import KeyStatus, RootKey

STUCK_AFTER = 60.0
"""Seconds without any progress after which `rotate` waits no longer; the server goes on."""


async def keys(
    verb: Literal["status", "rotate"],
    /,
    *,
    output: Annotated[Literal["table", "json"], Parameter(alias="-o")] = "table",
    common: Common = HERE,
) -> int:
    """Show the root keys that protect what is sealed, or put all of it under the active one.

    Parameters
    ----------
    verb
        What to do: status, or rotate, which makes a new root key where SAC keeps it itself.
    output
        How: a table or JSON.
    """
    async with connected(common) as sac:
        status = await (sac.keys() if verb == "status" else _rotated(sac))
    print("\n".join(_lines(status)) if output == "table" else dumped(status.to_wire(), output))
    return 0


async def _rotated(sac: HttpSac) -> KeyStatus:
    """Rotate, and follow it to its end; raises `UnavailableError` when it is stuck."""
    status = await sac.rotate_keys()
    least, since = status.waiting, time.monotonic()
    with Progress() as progress:
        while not status.done:
            progress.show(f"{status.waiting} data keys are left")
            await anyio.sleep(0.2)
            status = await sac.keys()
            if status.message:
                raise UnavailableError(status.message, hint="the server goes on trying; see: sac keys status")
            if status.waiting < least:
                least, since = status.waiting, time.monotonic()
            if time.monotonic() - since > STUCK_AFTER:
                raise DeadlineError("the rotation does not get on", hint="see: sac keys status")
    return status


def _lines(status: KeyStatus) -> list[str]:
    rows = [[root.id, _state(root), str(root.data_keys)] for root in status.roots]
    table = aligned([["ROOT KEY", "STATE", "DATA KEYS"], *rows])
    end = (
        "nothing is under another root key" if status.waiting == 0 else f"{status.waiting} wait for the active root key"
    )
    return [*table, *([status.message] if status.message else []), end]


def _state(root: RootKey) -> str:
    return "active" if root.active else "old" if root.given else "missing"
