"""What may be set: by the operator for the executor, by a user for an agent. Unknown keys are refused."""

from pathlib import Path

from pydantic import Field
from sac_core.models.base import Model


class CabinSettings(Model):
    """Under ``plugins.cabin`` in SAC's settings."""

    folder: Path | None = Field(default=None, description="Where cabins are built; a folder of SAC's own if not given.")


class CabinOptions(Model):
    """Under ``spec.options`` of an agent; the console makes a form of it."""

    nice: int = Field(default=0, ge=0, le=19, description="How much the cabin's processes stand back for others.")
