"""A body's folder: its record, its lock, the files of its holder, its working folder.

The lock says whether a holder lives: it is taken before one is started, inherited by it, and held until it is gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ValidationError

from sac_core.builtin.process.secret_files import withdraw
from sac_core.errors import ConfigurationError, InvalidError, UnavailableError
from sac_core.models.base import Model

_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_HOLDER_FILES = ("pid", "pid.new", "holder.sock", "grace", "errors.log")


class BodyRecord(Model):
    """What was decided about a body, committed before it is done. ``state`` is what it shall be.

    ``ending`` shall end and be started again, by a later `ensure`. ``kill_at`` is when patience ends, in seconds since
    1970; ``purge`` whether deleting takes the working folder too; ``ports`` are those that it declared.
    """

    labels: dict[str, str]
    tenant: str
    agent: str
    uid: str
    generation: int
    hash: str
    state: Literal["running", "ending", "stopped", "deleting"] = "running"
    kill_at: float | None = None
    purge: bool = False
    ports: tuple[int, ...] = ()


class DamagedError(UnavailableError):
    """A record that cannot be read: whose body it is, nobody can say."""


class HolderPid(NamedTuple):
    """A holder that is ready: its pid and when it started."""

    pid: int
    start: int


def private_folder(path: Path) -> Path:
    """The folder that holds everything, with mode 0700; raises `ConfigurationError` when that cannot be."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_uid != os.getuid():
            raise _unfit(f"{path} belongs to another user")
        path.chmod(0o700)
    except OSError as error:
        raise _unfit(f"cannot use {path}: {error.strerror}") from None
    return path


def _unfit(why: str) -> ConfigurationError:
    return ConfigurationError(why, field="plugins.process.folder", hint="give a folder of your own")


def body_folders(bodies: Path) -> list[BodyFolder]:
    """The folders that can be of bodies, in order."""
    return [BodyFolder(bodies, name) for name in sorted(os.listdir(bodies)) if _UID.match(name)]


class BodyFolder:
    """The folder of one body, which need not exist."""

    def __init__(self, bodies: Path, uid: str) -> None:
        if not _UID.match(uid):
            raise InvalidError(f"{uid[:40]!r} is not a uid", field="uid", hint="use letters, digits, '.', '_' and '-'")
        self.uid = uid
        self.path = bodies / uid

    @property
    def work(self) -> Path:
        """SAC's own working folder of the body."""
        return self.path / "work"

    @property
    def secrets(self) -> Path:
        """The files of its secrets."""
        return self.path / "secrets"

    @property
    def log(self) -> Path:
        """Why a holder could not start."""
        return self.path / "holder.log"

    def record(self, name: str = "body.json") -> BodyRecord | None:
        """What was decided; None when there is no body."""
        try:
            text = (self.path / name).read_text()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise UnavailableError(f"cannot read {self.path / name}: {error.strerror}", retry_after=5) from None
        try:
            return BodyRecord.model_validate_json(text)
        except ValidationError:
            raise DamagedError(
                f"{self.path / name} is damaged", hint="move the folder away; SAC then makes the body again"
            ) from None

    def commit(self, record: BodyRecord) -> None:
        """Write the record, whole or not at all, and durably."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = self.path / "body.json.new"
            with new.open("w") as file:
                file.write(json.dumps(record.to_wire()))
                file.flush()
                os.fsync(file.fileno())
            new.rename(self.path / "body.json")
        except OSError as error:
            raise UnavailableError(f"cannot write in {self.path}: {error.strerror}", retry_after=5) from None

    def take_lock(self) -> int | None:
        """A descriptor that holds the lock; None while a holder lives, or another server is at work here."""
        path = self.path / "lock"
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UnavailableError(f"cannot write in {self.path}: {error.strerror}", retry_after=5) from None
        if not _lock(fd, fcntl.LOCK_EX):
            return None
        if not _is(fd, path):  # it was removed after it had been opened: it keeps nobody out
            os.close(fd)
            return None
        return fd

    def alive(self) -> bool:
        """Whether a holder lives or is being started."""
        try:
            fd = os.open(self.path / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        free = _lock(fd, fcntl.LOCK_SH)
        if free:
            os.close(fd)
        return not free

    def holder(self) -> HolderPid | None:
        """The holder that said it is ready; None before that."""
        try:
            said = json.loads((self.path / "pid").read_text())
            return HolderPid(int(said["pid"]), int(said["start"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def clear(self) -> None:
        """Remove what an earlier holder left."""
        for name in _HOLDER_FILES:
            (self.path / name).unlink(missing_ok=True)
        withdraw(self.secrets)

    def discard(self, trash: Path) -> None:
        """Take the whole folder out of sight, in one step."""
        withdraw(self.secrets)
        trash.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.rename(trash / f"{self.uid}.{secrets.token_hex(4)}")

    def retire(self) -> None:
        """Remove the body and keep its working folder, if it has one."""
        self.clear()
        self.log.unlink(missing_ok=True)
        if self.work.is_dir():
            (self.path / "body.json").rename(self.path / "volume.json")
            return
        (self.path / "body.json").unlink(missing_ok=True)
        self.sweep()

    def sweep(self) -> None:
        """Remove a folder in which nothing is left."""
        if not (self.path / "body.json").exists() and not (self.path / "volume.json").exists():
            for name in ("body.json.new", "lock"):
                (self.path / name).unlink(missing_ok=True)
            with suppress(OSError):
                self.path.rmdir()


def _is(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except OSError:
        return False


def _lock(fd: int, kind: int) -> bool:
    """Try to lock; closes the descriptor when somebody else has it."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return False
    return True
