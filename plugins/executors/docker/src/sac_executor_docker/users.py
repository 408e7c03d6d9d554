"""Who the processes of a container are: in it, and to the folders of the machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sac_core.errors import UnsupportedError

AGENT_USER = "10001:10001"
ROOT_USER = "0:0"


def remaps_users(info: Mapping[str, Any]) -> bool:
    """Whether root in a container is somebody else outside."""
    return is_rootless(info) or _mentions(info, "userns")


def is_rootless(info: Mapping[str, Any]) -> bool:
    """Whether the engine runs as a user, who is root in its containers."""
    return _mentions(info, "rootless")


def user_of(folder: os.stat_result, info: Mapping[str, Any], engine_user: int | None) -> str:
    """User and group in a container that are the owner of a folder outside; ``engine_user`` is a rootless engine's.

    Raises `UnsupportedError` where the owner has no number in containers.
    """
    if is_rootless(info):
        if folder.st_uid == engine_user:
            return ROOT_USER
        raise _nobody("the folder belongs to another user than the rootless engine, and to nobody in its containers")
    if remaps_users(info):
        raise _nobody("this engine remaps users (userns-remap): the folder belongs to nobody in its containers")
    return f"{folder.st_uid}:{folder.st_gid}"


def _mentions(info: Mapping[str, Any], word: str) -> bool:
    return any(f"name={word}" in option for option in info.get("SecurityOptions") or ())


def _nobody(message: str) -> UnsupportedError:
    hint = "leave the folder out, clone with git, or use a target whose engine does not remap users"
    return UnsupportedError(message, field="spec.workspace.folder", hint=hint)
