"""A real PostgreSQL for tests: a cluster in a temporary folder, crashed and restarted at will."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sac_core.errors import UnavailableError

_NUMBERS = count(1)
_USER, _PORT = "postgres", 5432


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl: on the path, or where Debian puts the newest."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    return debian[-1] if debian else None


class Cluster:
    """A cluster that listens on a unix socket in its own folder; made by `running_cluster`.

    PostgreSQL refuses to run as root, so root runs it as the user ``postgres``. With an ``address``, it is listened
    on there too, for clients with a password.
    """

    def __init__(self, folder: Path, programs: Path, address: str = "") -> None:
        self._data = folder / "data"
        self._socket = folder
        self._programs = programs
        self._address = address
        self._port = _unused_port(address) if address else _PORT
        self._password = secrets.token_hex(16)
        self._user = _USER if os.getuid() == 0 else None
        if self._user:
            owner = pwd.getpwnam(_USER)
            os.chown(folder, owner.pw_uid, owner.pw_gid)

    def initialise(self) -> None:
        """Make its files."""
        self._run("initdb", "-D", str(self._data), "-U", _USER, "--auth=trust", "--encoding=UTF8", "--no-sync",
                  "--locale=C.UTF-8")  # fmt: skip
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 0.0.0.0/0 scram-sha-256\n")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        # fsync stays on: a crash of the server must find what it has acknowledged
        options = f"-k {self._socket} -p {self._port} -c max_connections=60 -c shared_buffers=32MB"
        options += f" -c listen_addresses={self._address}"
        log = str(self._socket / "log")
        self._run("pg_ctl", "-D", str(self._data), "-l", log, "-o", options, "-w", "-t", "60", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; ``immediate`` is a crash."""
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "-t", "60", "stop")

    def restart(self) -> None:
        """Crash, and come back."""
        self.stop()
        self.start()

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"t{next(_NUMBERS)}"
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql://{_USER}@/{name}?host={self._socket}"

    def far_database(self) -> str:
        """The URL of a new, empty database, for clients elsewhere."""
        name, user = f"t{next(_NUMBERS)}", f"u{next(_NUMBERS)}"
        self.sql(f"CREATE USER {user} PASSWORD '{self._password}'")
        self.sql(f"CREATE DATABASE {name} OWNER {user}")
        return f"postgresql://{user}:{self._password}@{self._address}:{self._port}/{name}"

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Nothing answers, and no connection ends: a black hole (Linux only)."""
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text()
        stopped = [first, *map(int, children.split())]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    def cut(self) -> None:
        """End every connection of a server, as a failing network would."""
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sac'")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for a statement, without frills."""
        return self._run(
            "psql", "-h", str(self._socket), "-p", str(self._port), "-U", _USER, "-d", database, "-qAtc", statement
        )

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self._programs / program), *arguments]
        ran = subprocess.run(command, user=self._user, cwd="/", capture_output=True, text=True, timeout=90)
        if ran.returncode:
            raise RuntimeError(f"{program} failed: {ran.stderr or ran.stdout}")
        return ran.stdout.strip()


def _unused_port(address: str) -> int:
    with socket.create_server((address, 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running_cluster(parent: Path | None = None, *, address: str = "") -> Iterator[Cluster]:
    """A cluster in a folder of its own below ``parent`` (none: where temporary files are) until the context is left.

    With an ``address``, clients elsewhere reach it there: `Cluster.far_database`.

    Raises `UnavailableError` when PostgreSQL is not installed.
    """
    programs = binaries()
    if programs is None:
        raise UnavailableError("PostgreSQL is not installed", hint="apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="sac-pg-", dir=parent))  # short: a socket's path has 107 characters
    cluster = Cluster(folder, programs, address)
    try:
        cluster.initialise()
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
