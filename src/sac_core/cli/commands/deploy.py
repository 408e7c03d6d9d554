"""`sac deploy`: what an administrator applies so that SAC itself runs on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from sac_core import __version__
from sac_core.cli.arguments import HERE, Common
from sac_core.cli.installation import SECRETS_FILE, Installation

_ORIGINS = ("https://sac.example.com",)


def deploy(
    verb: Literal["kustomize"],
    /,
    *,
    out: Path | None = None,
    origin: Annotated[tuple[str, ...], Parameter(negative=())] = _ORIGINS,
    image: str = f"sac:{__version__}",
    namespace: str = "sac",
    agents: str | None = None,
    common: Common = HERE,
) -> int:
    """Write a kustomization of two servers on PostgreSQL, with agents in a namespace of their own; calls no cluster.

    Parameters
    ----------
    verb
        What to write: kustomize.
    out
        The folder to write to; without it, all files are printed. A file of secrets that is there stays.
    origin
        Where people reach it, https://sac.example.com if not given; may be there several times, the Ingress' first.
    image
        The image of the Dockerfile, with a tag or a digest.
    namespace
        Where servers run.
    agents
        Where agents run; without it, the namespace of the servers and -agents.
    """
    installation = Installation(namespace, agents or f"{namespace}-agents", image, origin)
    if out is None:
        print("\n".join(f"# ---- {name}\n{text}" for name, text in installation.texts()), end="")
        return 0
    kept = installation.write(out)
    print(_advice(out, kept))
    return 0


def _advice(folder: Path, kept: list[str]) -> str:
    secrets = f"{folder / SECRETS_FILE} stays as it was" if kept else f"Fill in {folder / SECRETS_FILE}"
    return f"{folder} is written. {secrets}. Then: kubectl apply -k {folder}"
