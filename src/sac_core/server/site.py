"""What one app serves: a core, who may come in, what is open. Made when the core is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sac_core.server.identity import Identifier
from sac_core.server.live import Live
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
    table: tuple[Route, ...] = ()
