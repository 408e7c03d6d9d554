"""A body's way to one place outside, through SAC: for bodies without a network."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from sac_core.models.base import Model
from sac_core.models.names import Name, Variable

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?\Z|[0-9A-Fa-f:.]{2,45}\Z")


def _host(value: str) -> str:
    if not _HOST.match(value):
        raise ValueError(f"{value[:80]!r} is neither a host's name nor an address")
    return value


class Outlet(Model):
    """A unix socket in the body; SAC carries its connections to ``port`` of ``host``, and to nowhere else.

    ``variable`` tells the body's processes the path of the socket.
    """

    name: Name
    variable: Variable
    host: Annotated[str, AfterValidator(_host)]
    port: int = Field(ge=1, le=65535)

    @property
    def file(self) -> str:
        """The socket's name in the folder of the body's holder."""
        return f"outlet-{self.name}.sock"

    @property
    def place(self) -> str:
        """Where it leads, for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
