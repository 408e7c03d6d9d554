"""What the services of one SAC share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sac_core.contracts.sealing import KeyRotation, Sealing
from sac_core.contracts.store import EVERYWHERE as EVERYWHERE
from sac_core.contracts.store import Store
from sac_core.hooks.registry import Registry
from sac_core.models.recording import RecordingPolicy
from sac_core.service.bodies import Bodies
from sac_core.service.chronicle import Chronicle
from sac_core.service.hub import Hub
from sac_core.service.leasing import Leasing
from sac_core.service.outlets import Outlets
from sac_core.service.stages import Stages
from sac_core.service.targets import Targets


@dataclass(frozen=True, slots=True)
class Services:
    """Store, sealing, plugins, executors, ways into bodies and out, terminals, stages, timelines, leases, choices."""

    store: Store
    sealing: Sealing
    rotation: KeyRotation
    registry: Registry
    targets: Targets
    bodies: Bodies
    outlets: Outlets
    hub: Hub
    stages: Stages
    chronicle: Chronicle
    leasing: Leasing
    now: Callable[[], datetime]
    default_executor: str
    recording: RecordingPolicy = "off"
