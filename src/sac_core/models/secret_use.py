"""How agents refer to secrets: by name, and as what a value comes into their processes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Annotated

from pydantic import AfterValidator, model_validator

from sac_core.models.base import Model
from sac_core.models.names import Name
from sac_core.models.secret import SecretKey

SECRETS_DIR = "SAC_SECRETS_DIR"
"""The variable that tells a body's processes where the files of its secrets are."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_PART = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9._-]{0,127}\Z")


def _variable(value: str) -> str:
    if not _VARIABLE.match(value):
        raise ValueError(
            f"{value[:80]!r} is not a variable name: use letters, digits and '_', not starting with a digit"
        )
    if value.startswith("SAC_"):
        raise ValueError("names that begin with SAC_ are SAC's own: choose another")
    return value


def _path(value: str) -> str:
    parts = value.split("/")
    if len(parts) > 8 or any(part in (".", "..") or not _PART.match(part) for part in parts):
        raise ValueError(
            f"{value[:80]!r} is not a path below the folder of secrets: use names of letters, digits, '.', '_' and '-'"
        )
    return value


class SecretUse(Model):
    """One value of a secret, as the variable ``env`` or as the file ``file`` below the folder of secrets.

    ``key`` says which of its values; it may be left out when there is one only.
    """

    name: Name
    key: SecretKey | None = None
    env: Annotated[str, AfterValidator(_variable)] | None = None
    file: Annotated[str, AfterValidator(_path)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> SecretUse:
        if (self.env is None) == (self.file is None):
            raise ValueError("say env (the name of a variable) or file (a path), one of them")
        return self


class BoundSecret(SecretUse):
    """A use that was allowed: ``owner`` is whose secret it is, so that a namesake of another's is never taken.

    ``option`` is the path of an executor's option that refers to it, in place of ``env`` and ``file``;
    ``runtime_option`` that of a runtime's, which comes as ``env``.
    """

    owner: str
    option: str | None = None
    runtime_option: str | None = None

    @property
    def field(self) -> str | None:
        """The field of the spec that refers to it, where that is an option."""
        if self.runtime_option:
            return f"spec.runtimeOptions.{self.runtime_option}"
        return f"spec.options.{self.option}" if self.option else None

    @model_validator(mode="after")
    def _one_way(self) -> BoundSecret:
        if sum(way is not None for way in (self.env, self.file, self.option)) != 1:
            raise ValueError("a secret that is bound is a variable, a file or an option")
        return self


class SecretVersion(Model):
    """Which version of a secret was delivered."""

    name: Name
    uid: str
    version: int


def check_uses(uses: Iterable[SecretUse], env: Collection[str]) -> None:
    """Raise ValueError when two uses, or a use and ``env``, are for the same variable or the same place of files."""
    taken = {("env", name) for name in env}
    folders: set[str] = set()
    for use in uses:
        place = ("env", use.env) if use.env else ("file", use.file or "")
        if place in taken:
            raise ValueError(f"the {'variable' if use.env else 'file'} {place[1]!r} is given twice")
        taken.add(place)
        if use.file:
            folders |= {use.file[:at] for at, sign in enumerate(use.file) if sign == "/"}
    clash = next((name for name in sorted(folders) if ("file", name) in taken), None)
    if clash is not None:
        raise ValueError(f"{clash!r} is a file and a folder at once")
