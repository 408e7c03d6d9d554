"""Who is asking."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from sac_core.models.principal import Principal


@dataclass(frozen=True, slots=True)
class Credentials:
    """What came with a request: a bearer token, and the peer's address for rate limits and audit."""

    bearer: str | None = field(default=None, repr=False)
    peer: str = ""


class Authenticator(ABC):
    """Turns credentials into a principal."""

    @abstractmethod
    async def authenticate(self, credentials: Credentials) -> Principal | None:
        """The principal; None when these credentials are not of this authenticator's kind.

        Raises `UnauthenticatedError` when they are and are not valid.
        """
