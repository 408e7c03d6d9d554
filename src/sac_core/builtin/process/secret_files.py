"""The files of a body's secrets: in a folder of the body that its user alone can enter, gone with the body."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from sac_core.errors import UnavailableError


def deliver(folder: Path, files: Mapping[str, bytes]) -> None:
    """Let ``folder`` hold these files and no others, each changed in one step; folders are 0700, files 0400."""
    try:
        if not files:
            withdraw(folder)
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        for path in _others(folder, files):
            path.unlink()
        for name, value in files.items():
            _write(folder, name, value)
    except OSError as error:
        raise UnavailableError(f"cannot write secrets in {folder}: {error.strerror}", retry_after=5) from None


def withdraw(folder: Path) -> None:
    """Remove the folder, if it is there."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _write(folder: Path, name: str, value: bytes) -> None:
    path = folder / name
    if _holds(path, value):
        return
    for parent in reversed(path.relative_to(folder).parents[:-1]):
        (folder / parent).mkdir(mode=0o700, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(value)
    new.replace(path)


def _holds(path: Path, value: bytes) -> bool:
    try:
        return path.read_bytes() == value
    except OSError:
        return False


def _others(folder: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    wanted = {folder / name for name in files}
    return (path for path in list(folder.rglob("*")) if path not in wanted and (path.is_symlink() or path.is_file()))
