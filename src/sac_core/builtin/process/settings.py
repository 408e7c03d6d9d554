"""What an operator may set of the process executor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from sac_core.models.base import Model


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("it must begin with /")
    return path


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


class ProcessSettings(Model):
    """Under ``plugins.process`` in SAC's settings, and those of a target."""

    python: str | None = Field(
        default=None, description="The interpreter that starts holders: 3.8 or later. Else the one that runs SAC."
    )
    folder: AbsolutePath | None = Field(
        default=None,
        description="Where bodies are kept; the same for servers that share a database. Else in the data directory.",
    )
    nice: int = Field(default=0, ge=0, le=19, description="Is added to the niceness of bodies' processes.")
    pass_env: tuple[str, ...] = Field(
        default=(), description="Variables of the server's environment that bodies get besides the usual ones."
    )
