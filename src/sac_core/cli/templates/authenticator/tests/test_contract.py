"""The promises of authenticators. What may be overridden is in `sac_core.testing.authenticator_suite`."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from sac_core.contracts.authenticator import Authenticator, Credentials
from sac_core.contracts.context import PluginContext
from sac_core.testing.authenticator_suite import AuthenticatorContract

from sac_auth_acme.authenticator import AcmeSettings, open_acme

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestAcme(AuthenticatorContract):
    def open_authenticator(self, context: PluginContext) -> AbstractAsyncContextManager[Authenticator]:
        return open_acme(AcmeSettings(), context)

    def valid(self) -> Sequence[Credentials]:
        """Credentials that are good: make at least two, of two users."""
        raise NotImplementedError("valid")

    def invalid(self) -> Sequence[Credentials]:
        """Credentials of Acme's kind that are not good: expired, forged, of another key."""
        raise NotImplementedError("invalid")
