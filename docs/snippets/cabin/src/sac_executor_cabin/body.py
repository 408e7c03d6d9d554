"""One body: a folder with its record, the lock that its holder keeps for life, and the holder's socket."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal

from sac_core.errors import UnavailableError
from sac_core.held.program import PROGRAM
from sac_core.models.base import Model
from sac_core.models.body import Key


class Record(Model):
    """What was decided, written before it is done."""

    key: Key
    labels: dict[str, str]
    generation: int
    hash: str
    state: Literal["running", "ending", "deleting"] = "running"


class Body:
    """The folder of one body, which need not exist."""

    def __init__(self, root: Path, uid: str) -> None:
        self.path, self.work = root / "bodies" / uid, root / "work" / uid
        self.mark = f"{root.name}.{uid}"  # another SAC on this machine may have the same uid

    def record(self) -> Record | None:
        try:
            return Record.model_validate_json((self.path / "body.json").read_text())
        except FileNotFoundError:
            return None

    def commit(self, record: Record) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / "new").write_text(record.model_dump_json())
            (self.path / "new").rename(self.path / "body.json")
        except OSError as error:
            raise UnavailableError(f"cannot write in {self.path}: {error.strerror}", retry_after=5) from None

    def take_lock(self) -> int | None:
        """A descriptor that holds the lock; None while a holder lives."""
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock

    def alive(self) -> bool:
        lock = self.take_lock()
        if lock is not None:
            os.close(lock)
        return lock is None

    def holder(self) -> int | None:
        """The pid of a holder that is ready."""
        try:
            return int(json.loads((self.path / "pid").read_text())["pid"])
        except (FileNotFoundError, ValueError):
            return None

    def start(self, record: Record, cwd: str | None, nice: int) -> None:
        """Commit the record and start a holder that inherits the lock; whoever is cancelled afterwards, it lives."""
        self.commit(record)
        lock = self.take_lock()
        if lock is None:
            return
        for name in ("pid", "holder.sock", "grace"):
            (self.path / name).unlink(missing_ok=True)
        self.work.mkdir(parents=True, exist_ok=True)
        options = {"dir": self.path, "uid": self.mark, "cwd": cwd or self.work, "nice": nice, "lock-fd": lock}
        argv = [sys.executable, "-I", "-S", str(PROGRAM)]
        argv += [word for name, value in options.items() for word in (f"--{name}", str(value))]
        env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        try:
            with (self.path / "errors").open("wb") as errors:
                starter = subprocess.Popen(argv, stdout=errors, stderr=errors, env=env, pass_fds=(lock,))
        finally:
            os.close(lock)
        threading.Thread(target=starter.wait, daemon=True).start()  # it ends as soon as the holder is on its own

    def ask_to_end(self, grace: float) -> None:
        """Its holder ends its processes, kills them after the grace, and then itself."""
        (self.path / "grace").write_text(f"{grace:g}")
        holder = self.holder()
        if holder is not None:  # else it is still starting, and is asked again by a later call
            with suppress(ProcessLookupError):
                os.kill(holder, signal.SIGTERM)

    def kill_strays(self) -> bool:
        """Kill what a holder left that was killed itself: it carries SAC_BODY. False: there was nothing."""
        mark, found = f"SAC_BODY={self.mark}".encode(), False
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)
                    found = True
        return found

    def remove(self, purge: bool) -> None:
        """Remove everything, the record last."""
        if purge:
            shutil.rmtree(self.work, ignore_errors=True)
        for file in self.path.glob("*"):
            if file.name != "body.json":
                file.unlink()
        (self.path / "body.json").unlink(missing_ok=True)
        self.path.rmdir()
