"""Whether the data directory is still the one that was opened: its locks are worth nothing in another."""

from __future__ import annotations

from pathlib import Path

from sac_core.errors import UnavailableError

_KEPT = (".", "sac.db", "sac.db.lock")
"""What must stay the same file or folder for as long as SAC runs on it."""

Identity = tuple[int, int]


class Place:
    """An opened data directory; what of it is there now is what must stay."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known = {name: known for name in _KEPT if (known := _identity(folder / name)) is not None}

    def check(self) -> None:
        """Raise `UnavailableError` (``DataDirectoryGone``) when something of it was removed or replaced."""
        for name, known in self._known.items():
            if _identity(self._folder / name) != known:
                raise UnavailableError(
                    f"{self._folder / name} was removed or replaced under the running server",
                    reason="DataDirectoryGone",
                    hint="put it back and start the server again; agents go on meanwhile",
                )


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
