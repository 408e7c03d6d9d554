"""How the image of a runtime's agents is made, where an executor runs images and an agent names none."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from sac_core.models.base import Model
from sac_core.models.names import Argv, Name

_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._/:@-]{0,254}\Z")


def _image(value: str) -> str:
    if not _IMAGE.match(value):
        raise ValueError(f"{value[:80]!r} is not the name of an image, such as registry.example.org/team/image:tag")
    return value


ImageName = Annotated[str, AfterValidator(_image)]
"""The name of an image, with a tag or a digest if wanted."""
Line = Annotated[str, Field(pattern=r"^[^\r\n\x00]*$", max_length=4000)]
"""A line for the shell."""


class Recipe(Model):
    """What is added to a base image.

    ``setup`` is run first. ``program`` is then copied from the PATH of SAC's own machine, when it is a program for the
    image's kind of machine; else ``install`` is run, which may use the network. ``version`` prints a version: the image
    is not used where that fails, and its first line becomes a label.
    """

    name: Name
    setup: Line
    program: Name
    install: Line
    version: Argv

    @property
    def image(self) -> str:
        """The image's name, which no registry is asked for."""
        return f"localhost/sac/{self.name}:latest"
