"""What is at a path inside a body."""

from __future__ import annotations

from typing import Literal

from sac_core.models.base import Model

FileType = Literal["file", "folder", "special"]


class FileStat(Model):
    """What is at a path of an agent, links followed; ``special`` is a device, a pipe or a socket."""

    type: FileType
