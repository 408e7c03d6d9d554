"""SAC: run AI coding agents in isolated sandboxes.

The public surface is small: `open` embeds SAC, `connect` speaks to a server, both yield a `Sac`. Everything else is by
module. Importing this package loads nothing heavy (PEP 562).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sac_core.client import connect as connect
    from sac_core.contracts.sac import Sac as Sac
    from sac_core.contracts.sac import Terminal as Terminal
    from sac_core.core import open as open
    from sac_core.core import open_core as open_core
    from sac_core.errors import SacError as SacError
    from sac_core.models.agent import Agent as Agent
    from sac_core.models.agent import AgentSpec as AgentSpec
    from sac_core.models.session import Session as Session
    from sac_core.server import create_app as create_app
    from sac_core.settings import Settings as Settings

__version__ = "0.1.0"

_HOMES = {
    "Agent": "sac_core.models.agent",
    "AgentSpec": "sac_core.models.agent",
    "Sac": "sac_core.contracts.sac",
    "SacError": "sac_core.errors",
    "Session": "sac_core.models.session",
    "Settings": "sac_core.settings",
    "Terminal": "sac_core.contracts.sac",
    "connect": "sac_core.client",
    "create_app": "sac_core.server",
    "open": "sac_core.core",
    "open_core": "sac_core.core",
}

__all__ = [
    "Agent",
    "AgentSpec",
    "Sac",
    "SacError",
    "Session",
    "Settings",
    "Terminal",
    "__version__",
    "connect",
    "create_app",
    "open",
    "open_core",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'sac_core' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
