"""What SAC brings itself keeps the promises that strangers must keep."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from pydantic import SecretStr

from sac_core.builtin.shell import ShellRuntime
from sac_core.builtin.token import TokenSettings, open_token_authenticator
from sac_core.contracts.authenticator import Authenticator, Credentials
from sac_core.contracts.context import PluginContext
from sac_core.contracts.runtime import Runtime
from sac_core.testing.authenticator_suite import AuthenticatorContract
from sac_core.testing.runtime_suite import RuntimeContract

TOKENS = ("1d0e5b6fa9c84273", "Zk3-QpX_v8sWmT2yLr0aUe9cHg")

pytest_plugins = ["sac_core.testing.pytest_plugin"]


class TestTokenAuthenticator(AuthenticatorContract):
    def open_authenticator(self, context: PluginContext) -> AbstractAsyncContextManager[Authenticator]:
        return open_token_authenticator(TokenSettings(tokens=tuple(map(SecretStr, TOKENS))), context)

    def valid(self) -> Sequence[Credentials]:
        return [Credentials(bearer=token) for token in TOKENS]

    def foreign(self) -> Sequence[Credentials]:
        """Any token may be another authenticator's: none is invalid here."""
        return (*super().foreign(), Credentials(bearer="1d0e5b6fa9c84274"))


class TestShellRuntime(RuntimeContract):
    def make_runtime(self) -> Runtime:
        return ShellRuntime()
