"""Secrets over HTTP."""

from __future__ import annotations

from sac_core.client.connection import Connection
from sac_core.client.kinds import SECRET_KIND
from sac_core.client.resources import HttpResources
from sac_core.contracts.sac import Secrets
from sac_core.models.secret import Secret


class HttpSecrets(HttpResources[Secret], Secrets):
    """Secrets of a server."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, SECRET_KIND)
