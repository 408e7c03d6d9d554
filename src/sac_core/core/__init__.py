"""The wiring: settings -> hooks -> store -> executors -> services, on one exit stack.

Belongs here: the data directory, opening what plugins offer, the order in which all is opened and closed. Only this
package knows concrete things. Does not belong here: any decision about agents, sessions or users.
"""

from sac_core.core.wiring import Core, open, open_core

__all__ = ["Core", "open", "open_core"]
