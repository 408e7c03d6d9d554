from starlette.applications import Starlette

import sac_core
from sac_core.contracts.authenticator import Credentials
from sac_core.models.principal import Principal

YOUR_USERS = {"ann-s-token-of-your-own": "ann"}


async def authenticate(credentials: Credentials) -> Principal | None:
    name = YOUR_USERS.get(credentials.bearer or "")
    if name is None:
        return None
    permissions = frozenset({"agents:*", "sessions:*"})
    return Principal("user", name, tenant=name, tenants=frozenset({name}), permissions=permissions)


def make_app() -> Starlette:
    return sac_core.create_app(sac_core.open_core, authenticate, console=False)
