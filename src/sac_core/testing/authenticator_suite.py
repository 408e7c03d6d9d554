"""The contract of authenticators as a pytest class: subclass it, give it good and bad credentials, run pytest.

pytest_plugins = ["sac_core.testing.pytest_plugin"]

class TestAcme(AuthenticatorContract):
    def open_authenticator(self, context):
        return open_acme(AcmeSettings(key="test"), context)

    def valid(self):
        return [token_of("ann"), token_of("bob")]

    def invalid(self):
        return [expired_token_of("ann")]
"""

from sac_core.testing.promises.authenticators import AuthenticatorContract

__all__ = ["AuthenticatorContract"]
