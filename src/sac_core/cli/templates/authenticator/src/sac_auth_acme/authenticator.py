"""The authenticator ``acme``: write ``authenticate``, run pytest, and see which promises are kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import Field, SecretStr
from sac_core.contracts.authenticator import Authenticator, Credentials
from sac_core.contracts.context import PluginContext
from sac_core.models.base import Model
from sac_core.models.principal import Principal


class AcmeSettings(Model):
    """Under ``plugins.acme`` in SAC's settings. Unknown keys are refused."""

    key: SecretStr = Field(default=SecretStr(""), description="What Acme signs with.")


class AcmeAuthenticator(Authenticator):
    """Quick, cancellable, and silent about what it was given."""

    def __init__(self, settings: AcmeSettings) -> None:
        self._key = settings.key

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        """Whose credentials these are; None when they are not of Acme's kind, UnauthenticatedError when not valid."""
        raise NotImplementedError("authenticate")


@asynccontextmanager
async def open_acme(settings: AcmeSettings, context: PluginContext) -> AsyncIterator[Authenticator]:
    """Open it: fetch keys here, and let go of everything when the context is left."""
    yield AcmeAuthenticator(settings)
