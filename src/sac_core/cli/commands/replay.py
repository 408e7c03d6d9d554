"""`sac replay`: a recording in this terminal, or in a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import anyio
from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.connecting import connected
from sac_core.cli.replaying import play
from sac_core.cli.signals import ended_by_signals
from sac_core.errors import InvalidError

FASTEST = 1000.0


async def replay(
    name: str,
    /,
    *,
    speed: float = 1.0,
    idle_limit: float | None = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    common: Common = HERE,
) -> int:
    """Play a recording in this terminal, as it happened; Ctrl-C ends it.

    Parameters
    ----------
    name
        A recording.
    speed
        How many times as quick, for example 2 or 0.5.
    idle_limit
        The longest pause in seconds; without it, pauses are as they were.
    output
        Write it to this file instead, as asciicast v2.
    """
    if not 0 < speed <= FASTEST:
        raise InvalidError(f"must be more than 0 and at most {FASTEST:g}", field="--speed", reason="Usage")
    if idle_limit is not None and idle_limit < 0:
        raise InvalidError("must not be negative", field="--idle-limit", reason="Usage")
    async with ended_by_signals() as ended, connected(common) as sac, aclosing(sac.recordings.cast(name)) as cast:
        if output is None:
            await play(cast, speed=speed, idle_limit=idle_limit)
        else:
            await _save(cast, output)
            print(f"{output} written")
    return ended.status


async def _save(cast: AsyncIterator[bytes], path: Path) -> None:
    """Write a file; one that could not be written whole is not left behind."""
    whole = False
    try:
        async with await anyio.open_file(path, "wb") as file:
            async for piece in cast:
                await file.write(piece)
            whole = True
    except OSError as error:
        raise InvalidError(f"cannot write {path}: {error.strerror}", field="--output") from None
    finally:
        if not whole:
            await anyio.Path(path).unlink(missing_ok=True)
