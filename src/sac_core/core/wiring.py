"""Opens SAC: one exit stack that yields a ready `Core`, and closes all of it in reverse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sac_core.contracts.authenticator import Authenticator, Credentials
from sac_core.contracts.sac import Sac
from sac_core.errors import UnauthenticatedError
from sac_core.hooks.registry import Registry
from sac_core.models.principal import LOCAL, Principal
from sac_core.service.signins import SignIns
from sac_core.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Core:
    """A running SAC. ``sac`` gives its surface in the name of a principal."""

    settings: Settings
    registry: Registry
    signins: SignIns
    authenticators: tuple[Authenticator, ...]

    def sac(self, principal: Principal, tenant: str | None = None) -> Sac:
        """The surface for one principal, in one of its tenants; raises `NotFoundError` for a tenant of others."""
        raise NotImplementedError

    async def authenticate(self, credentials: Credentials) -> Principal:
        """Who has these credentials; raises `UnauthenticatedError`."""
        for authenticator in self.authenticators:
            principal = await authenticator.authenticate(credentials)
            if principal is not None:
                return principal
        raise UnauthenticatedError(
            "these credentials are not known here",
            hint="use SAC_TOKEN as the server was started with, or the file `token` of its data directory",
        )


@asynccontextmanager
async def open_core(settings: Settings | None = None) -> AsyncIterator[Core]:
    """Open SAC with ``settings`` (none: from the environment), ready to serve, until the context is left.

    Agents go on running when it is left. Raises `ConfigurationError` when the data directory is in use.
    """
    raise NotImplementedError
    yield


@asynccontextmanager
async def open(settings: Settings | None = None) -> AsyncIterator[Sac]:
    """Embed SAC in this program, as its local user."""
    async with open_core(settings or load_settings()) as core:
        yield core.sac(LOCAL)
