"""What one app serves: a core, who may come in, what is open. Made when the core is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sac_core.server.identity import Identifier
from sac_core.server.live import Live
from sac_core.server.ports.names import PortHosts
from sac_core.server.ports.slots import Slots
from sac_core.server.readiness import Readiness
from sac_core.server.route import Route

if TYPE_CHECKING:
    from sac_core.core.wiring import Core


@dataclass(slots=True)
class Site:
    """The parts that handlers share."""

    core: Core
    identifier: Identifier
    live: Live
    readiness: Readiness
    ports: PortHosts
    table: tuple[Route, ...] = ()
    listening: int = 0
    """The TCP port of the server, where it is known; else links take that of their request."""
    slots: Slots = field(default_factory=Slots)
