"""The door over HTTP: routes as data, who may come in, and frames to and from the one programming surface.

Belongs here: Host, Origin and credential checks, parsing of requests, the form of answers, sockets, the console's
files, and local mode (`serve`). Does not belong here: any decision about agents or sessions; that is `service`'s alone.
"""

from sac_core.server.announce import ServerInfo
from sac_core.server.app import create_app
from sac_core.server.listeners import is_loopback
from sac_core.server.local import serve

__all__ = ["ServerInfo", "create_app", "is_loopback", "serve"]
