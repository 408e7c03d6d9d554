"""What an operator may set of the process executor."""

from __future__ import annotations

from pydantic import Field

from sac_core.models.base import Model


class ProcessSettings(Model):
    """``python`` starts holders (default: the interpreter that runs SAC; 3.8 or later).

    ``nice`` is added to the niceness of bodies' processes; ``pass_env`` names variables of the server's environment
    that bodies get besides the usual ones.
    """

    python: str | None = None
    nice: int = Field(default=0, ge=0, le=19)
    pass_env: tuple[str, ...] = ()
