"""What can be set for the stage ``acme``."""

from pydantic import Field
from sac_core.models.base import Model


class AcmeSettings(Model):
    """Under ``plugins.acme`` in SAC's settings. Unknown keys are refused."""

    prefix: str = Field(default="", description="What the names of what is kept begin with.")
