"""The skeleton of a plugin: a template of a distribution named ``acme``, under another name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from sac_core.errors import InvalidError

DISTRIBUTIONS = {"executor": "sac-executor", "runtime": "sac-agent", "authenticator": "sac-auth", "stage": "sac-stage"}
"""What a distribution's name begins with, by the family that it offers."""

_TEMPLATES = Path(str(files("sac_core"))) / "cli" / "templates"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_KEPT = {".py", ".md", ".toml", ".typed"}


@dataclass(frozen=True, slots=True)
class Skeleton:
    """One template under its new name."""

    family: str
    name: str

    @property
    def distribution(self) -> str:
        """As it is installed: ``sac-executor-acme``."""
        return f"{DISTRIBUTIONS[self.family]}-{self.name}"

    @property
    def package(self) -> str:
        """As it is imported: ``sac_executor_acme``."""
        return self.distribution.replace("-", "_")

    def write(self, folder: Path) -> None:
        """Make the folder; raises `InvalidError` when there is one already or it cannot be made."""
        try:
            folder.mkdir(parents=True)
            for path, text in self.files():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text)
        except FileExistsError:
            raise InvalidError(f"{folder} exists already", field="--folder", hint="give another one") from None
        except OSError as error:
            raise InvalidError(f"cannot write {folder}: {error.strerror}", field="--folder") from None

    def files(self) -> Iterator[tuple[str, str]]:
        """Path and text of each file."""
        template = _TEMPLATES / self.family
        for path in sorted(template.rglob("*")):
            if path.is_file() and path.suffix in _KEPT:
                yield self._renamed(str(path.relative_to(template))), self._renamed(path.read_text())

    def _renamed(self, text: str) -> str:
        """``acme`` as a word is the name, within an identifier it has underscores, ``Acme`` begins classes."""
        words = {
            "Acme": "".join(part.capitalize() for part in self.name.split("-")),
            "acme": self.name,
            "": self.name.replace("-", "_"),
        }
        return re.sub(r"\b(acme)\b|(Acme)|acme", lambda found: words[found[1] or found[2] or ""], text)


def skeleton(family: str, name: str) -> Skeleton:
    """The skeleton for a plugin of that name; raises `InvalidError` for what cannot be one."""
    if family not in DISTRIBUTIONS:
        raise InvalidError(f"there is no family {family!r}", field="FAMILY", hint=f"one of {', '.join(DISTRIBUTIONS)}")
    if len(name) > 40 or not _NAME.match(name):
        raise InvalidError(
            f"{name[:80]!r} is not a name for a plugin",
            field="NAME",
            hint="use at most 40 lower-case letters, digits and single '-' between them, beginning with a letter",
        )
    return Skeleton(family, name)
