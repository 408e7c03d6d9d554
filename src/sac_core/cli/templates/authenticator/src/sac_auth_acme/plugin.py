"""What this distribution offers to SAC. It is imported at every start: keep it quick."""

from sac_core.hooks import hookimpl
from sac_core.hooks.records import AuthenticatorPlugin

from sac_auth_acme.authenticator import AcmeSettings, open_acme


@hookimpl
def sac_authenticators() -> list[AuthenticatorPlugin]:
    return [AuthenticatorPlugin(name="acme", summary="Users of Acme", open=open_acme, settings=AcmeSettings)]
