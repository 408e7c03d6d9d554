"""How plugins are found and what they may offer: hook specifications, records, the registry and its loader.

Belongs here: the only import of pluggy. Does not belong here: opening or running anything that a plugin offers.
"""

import pluggy

hookimpl = pluggy.HookimplMarker("sac")
"""Marks a function of a plugin's module as an implementation of one of our hooks."""

__all__ = ["hookimpl"]
