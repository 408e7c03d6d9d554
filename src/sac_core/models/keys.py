"""What is told of root keys: their ids, and how much each protects."""

from __future__ import annotations

from sac_core.models.base import Model


class RootKey(Model):
    """A root key. ``given`` False: data keys need it, and it is not there. ``data_keys`` are those that it wraps."""

    id: str
    active: bool
    given: bool
    data_keys: int


class KeyStatus(Model):
    """The root keys, the active one first, and where they are from.

    ``waiting`` data keys are not under the active root key yet: once there are none, another root key may be removed.
    ``done``: there is nothing left to do, for SAC. ``message`` is why a rotation does not get on.
    """

    source: str
    roots: tuple[RootKey, ...]
    waiting: int
    done: bool
    message: str = ""
