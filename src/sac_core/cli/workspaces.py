"""Options of a command that say what is put into an agent's workspace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from sac_core.errors import InvalidError


@Parameter(name="*")
@dataclass(frozen=True)
class Prepared:
    """What is put into the workspace before the agent begins.

    Parameters
    ----------
    git
        Address of a repository to clone into the workspace.
    ref
        The branch, tag or commit of it; without it, the default branch.
    git_secret
        The secret of yours that holds its password or token.
    instructions
        A file with the agent's instructions.
    skill
        A file with a skill, named after the file, or after its folder if it is SKILL.md; may be repeated.
    """

    git: str | None = None
    ref: str | None = None
    git_secret: str | None = None
    instructions: Path | None = None
    skill: Annotated[tuple[Path, ...], Parameter(negative=(), show_default=False)] = ()

    def spec(self) -> dict[str, Any]:
        """The fields of a spec that they make; ``git`` is of its workspace."""
        if self.git is None and (self.ref or self.git_secret):
            field = "--ref" if self.ref else "--git-secret"
            raise InvalidError("there is no repository", field=field, reason="Usage", hint="say --git URL too")
        given = {"url": self.git, "ref": self.ref, "secret": self.git_secret}
        made: dict[str, Any] = {}
        if self.git is not None:
            made["workspace"] = {"git": {name: value for name, value in given.items() if value is not None}}
        if self.instructions is not None:
            made["instructions"] = _text(self.instructions, "--instructions")
        if self.skill:
            made["skills"] = [{"name": _name(path), "text": _text(path, "--skill")} for path in self.skill]
        return made


NOTHING = Prepared()


def _name(path: Path) -> str:
    path = path.absolute()
    name = path.parent.name if path.stem.upper() == "SKILL" else path.stem
    return name.lower().replace("_", "-").replace(" ", "-")


def _text(path: Path, field: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidError(f"{path} is not text", field=field, reason="Usage") from None
    except OSError as error:
        raise InvalidError(f"cannot read {path}: {error.strerror}", field=field, reason="Usage") from None
