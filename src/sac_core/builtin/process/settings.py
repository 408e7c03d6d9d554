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
    """``python`` starts holders (default: the interpreter that runs SAC; 3.8 or later).

    ``folder`` is where bodies are kept (default: in the data directory), the same for servers that share a database.
    ``nice`` is added to the niceness of bodies' processes; ``pass_env`` names variables of the server's environment
    that bodies get besides the usual ones.
    """

    python: str | None = None
    folder: AbsolutePath | None = None
    nice: int = Field(default=0, ge=0, le=19)
    pass_env: tuple[str, ...] = ()
