"""The wiring: settings -> hooks -> store -> executors -> services, on one exit stack.

Only this package knows concrete things. It decides nothing.
"""

from sac_core.core.wiring import Core, open, open_core

__all__ = ["Core", "open", "open_core"]
