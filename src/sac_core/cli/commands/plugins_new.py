"""`sac plugins new`: the folder of a plugin that is yet to be written."""

from __future__ import annotations

from pathlib import Path

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.skeleton import Skeleton, skeleton


def new(family: str, name: str, /, *, folder: Path | None = None, common: Common = HERE) -> int:
    """Make a folder with a distribution that offers one plugin; its tests say what is to be written.

    Parameters
    ----------
    family
        What it offers: executor, runtime, authenticator or stage.
    name
        What it is called.
    folder
        Where to make it; without it, a folder of the distribution's name here.
    """
    made = skeleton(family, name)
    target = folder or Path(made.distribution)
    made.write(target)
    print(_advice(made, target))
    return 0


def _advice(made: Skeleton, target: Path) -> str:
    return f"""\
{target}: {made.distribution}, a plugin to be written in {made.package}.
  cd {target}
  pip install --editable . --group test
  pytest"""
