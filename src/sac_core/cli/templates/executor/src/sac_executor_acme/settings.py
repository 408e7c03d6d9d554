"""What may be set: by the operator for the executor, by a user for an agent. Unknown keys are refused."""

from pydantic import Field
from sac_core.models.base import Model


class AcmeSettings(Model):
    """Under ``plugins.acme`` in SAC's settings."""

    timeout: float = Field(default=10.0, gt=0, le=60, description="Seconds that Acme may take to answer.")


class AcmeOptions(Model):
    """Under ``spec.options`` of an agent; the console makes a form of it."""
