"""The authenticator ``token``: bearer tokens from the settings, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from sac_core.contracts.authenticator import Authenticator, Credentials
from sac_core.contracts.context import PluginContext
from sac_core.hooks.records import AuthenticatorPlugin
from sac_core.models.base import Model
from sac_core.models.principal import LOCAL, Principal


class TokenSettings(Model):
    """``tokens``: each of them is the local user."""

    tokens: tuple[SecretStr, ...] = ()


class TokenAuthenticator(Authenticator):
    """Knows the digests of its tokens, not the tokens."""

    def __init__(self, tokens: tuple[SecretStr, ...]) -> None:
        self._digests = [_digest(token.get_secret_value()) for token in tokens]

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        if credentials.bearer is None:
            return None
        given = _digest(credentials.bearer)
        matches = [hmac.compare_digest(given, known) for known in self._digests]  # all, so that time tells nothing
        return LOCAL if any(matches) else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


@asynccontextmanager
async def open_token_authenticator(settings: TokenSettings, context: PluginContext) -> AsyncIterator[Authenticator]:
    """The authenticator for the tokens of ``settings``."""
    yield TokenAuthenticator(settings.tokens)


TOKEN = AuthenticatorPlugin(
    name="token",
    summary="Bearer tokens: SAC_TOKEN and the data directory's own.",
    open=open_token_authenticator,
    settings=TokenSettings,
)
