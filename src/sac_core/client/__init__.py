"""`Sac` over HTTP and WebSockets: what `sac_core.connect` yields.

Belongs here: addresses, requests, sockets, reconnecting, and the translation of answers into the values of `contracts`.
Does not belong here: decisions, anything about the data directory, anything that prints.
"""

from sac_core.client.surface import connect

__all__ = ["connect"]
