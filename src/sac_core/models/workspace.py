"""What is put into an agent's workspace before it begins: a repository, instructions, skills."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator, model_validator

from sac_core.models.base import Model
from sac_core.models.names import Name

LARGEST_TEXT = 128 * 1024
"""Characters that instructions and skills may have together."""

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
    r"/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*\Z"
)
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+@#=,-]{0,254}\Z")
_PATH = re.compile(r"[A-Za-z0-9._{}-]+(/[A-Za-z0-9._{}-]+)*\Z")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def _url(value: str) -> str:
    if "@" in value.partition("://")[2].partition("/")[0]:
        raise ValueError("an address holds no user and no password: keep them as a secret, and name that in secret")
    if len(value) > 2000 or not _URL.match(value):
        raise ValueError("give the whole address of a repository, for example https://example.org/team/project.git")
    return value


def _ref(value: str) -> str:
    if not _REF.match(value) or ".." in value:
        raise ValueError(f"{value[:80]!r} is not the name of a branch or tag, nor a commit")
    return value


def _path(value: str) -> str:
    if not _PATH.match(value) or any(part in (".", "..", ".git") for part in value.split("/")):
        raise ValueError(f"{value[:80]!r} is not a path below the workspace")
    return value


Path = Annotated[str, AfterValidator(_path)]
"""A file below the workspace."""


class GitSource(Model):
    """A repository to clone, by https. ``ref`` is a branch, a tag or a commit; none: the default branch.

    ``secret`` has the password (a token, mostly) under ``password``, or as its only value, and the user, where it
    matters, under ``username``.
    """

    url: Annotated[str, AfterValidator(_url)]
    ref: Annotated[str, AfterValidator(_ref)] | None = None
    secret: Name | None = None

    @property
    def place(self) -> str:
        """Scheme, host and port: whom a password is for."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"

    @model_validator(mode="after")
    def _safe(self) -> GitSource:
        found = _URL.match(self.url)
        plain = found is not None and found["scheme"] == "http" and found["host"] not in _LOOPBACK
        if self.secret is not None and plain:
            raise ValueError("a password is never sent unencrypted: use https")
        return self


class Workspace(Model):
    """Where the agent works. ``folder`` is an absolute path on the target's machine; none: a folder of SAC's own.

    ``git`` is cloned into it once; what is there later is the agent's own.
    """

    folder: str | None = None
    git: GitSource | None = None

    @field_validator("folder")
    @classmethod
    def _absolute(cls, value: str | None) -> str | None:
        if value is not None and (not value.startswith("/") or "\0" in value):
            raise ValueError(f"{value!r} is not an absolute path: give the whole path, starting with '/'")
        return value


class Skill(Model):
    """A text that tells an agent how to do something; its place is the runtime's choice."""

    name: Name
    text: str = Field(max_length=LARGEST_TEXT)


class Places(Model):
    """Where in the workspace a runtime wants texts; ``{name}`` is that of a skill."""

    instructions: Path = "AGENTS.md"
    skills: Path = "skills/{name}/SKILL.md"

    @model_validator(mode="after")
    def _apart(self) -> Places:
        if "{name}" not in self.skills:
            raise ValueError("every skill would have the same place: say {name} in it")
        return self


class Clone(GitSource):
    """A repository to clone; ``owner`` is whose secret is meant."""

    owner: str = ""

    @property
    def digest(self) -> str:
        """Tells one clone from another."""
        return _digest(self)


class Preparation(Model):
    """What is done in a new body before its main process starts; texts by path in the workspace.

    ``programs`` have to be there, each with what to do where it is not.
    """

    programs: dict[str, str] = Field(default_factory=dict)
    git: Clone | None = None
    instructions: dict[Path, str] = Field(default_factory=dict)
    skills: dict[Path, str] = Field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Tells one preparation from another; empty when there is nothing to do."""
        return _digest(self) if self.programs or self.git or self.instructions or self.skills else ""


def check_texts(instructions: str | None, skills: tuple[Skill, ...]) -> None:
    """Raise ValueError when two skills have one name, or all texts are too long together."""
    names = [skill.name for skill in skills]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"the skill {twice!r} is there twice")
    if len(instructions or "") + sum(len(skill.text) for skill in skills) > LARGEST_TEXT:
        raise ValueError(f"instructions and skills have more than {LARGEST_TEXT} characters together")


def _digest(model: Model) -> str:
    text = json.dumps(model.to_wire(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
