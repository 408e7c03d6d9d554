"""An engine of a test's own: it may be frozen, killed and started again, and it listens on TCP with TLS as well."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import trustme

from docker_engine import busybox_program, docker
from sac_core.testing.fixtures import unused_port

_START = 90.0
_END = 30.0


@dataclass
class PrivateEngine:
    """`dockerd` with all that it keeps below one folder.

    ``port``: that of TLS, with what `certificates` has; ``options`` are more of its own; ``path`` is where it looks for
    programs first; ``data``: where images and containers are instead.
    """

    folder: Path
    port: int | None = None
    options: tuple[str, ...] = ()
    path: str = ""
    data: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    @property
    def certificates(self) -> Path:
        """The folder of a client's."""
        return self.folder / "client"

    def docker(self, *arguments: str, stdin: bytes | None = None) -> str:
        """The `docker` command, to this engine."""
        return docker(*arguments, stdin=stdin, host=self.host)

    def start(self) -> None:
        """Start it and wait until it answers."""
        folder = self.folder
        for left in (folder / "docker.pid", folder / "exec" / "containerd" / "containerd.pid"):
            left.unlink(missing_ok=True)  # of a process that was killed, and whose number another one has by now
        command: list[str | Path] = [
            _dockerd(),
            "--data-root",
            self.data or folder / "data",
            "--exec-root",
            folder / "exec",
        ]
        command += ["--pidfile", folder / "docker.pid", "--host", self.host, "--config-file", folder / "none.json"]
        command += ["--bridge", self._bridge(), "--iptables=false", "--ip6tables=false"]
        command += ["--containerd-namespace", folder.name, "--containerd-plugins-namespace", f"{folder.name}-p"]
        command += self.options
        if self.port is not None:
            server = folder / "server"
            command += ["--host", f"tcp://127.0.0.1:{self.port}", "--tlsverify", "--tlscacert", server / "ca.pem"]
            command += ["--tlscert", server / "cert.pem", "--tlskey", server / "key.pem"]
        (folder / "none.json").write_text("{}")
        with (folder / "log").open("ab") as log:
            env = {**os.environ, "PATH": f"{self.path}:{os.environ['PATH']}"} if self.path else None
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=env)
        self._wait(self._answers, _START, "dockerd does not start")

    def freeze(self) -> None:
        """It keeps its socket and answers nothing."""
        self._pid().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._pid().send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """What a crash does to it: its containers go on until it is started again."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(_END)
        for each in self._others():
            each.kill()
        self._wait(lambda: not self._others(), _END, "containerd lives on")

    def restart(self) -> None:
        """As its service manager does; without live-restore its containers end."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(_END)
        self.start()

    def end(self) -> None:
        """End it and everything below its folder."""
        if self.process is not None and self.process.poll() is None:
            self.thaw()
            self.process.terminate()
            try:
                self.process.wait(_END)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(_END)
        for each in self._others(shims=True):
            _kill(each)
        self._unmount()
        _ip("link", "del", self._bridge())
        shutil.rmtree(self.folder, ignore_errors=True)

    def _bridge(self) -> str:
        """One of its own: an engine with none, or with the usual one, would take that of this machine's engine."""
        name = f"sac{self.folder.name[-8:]}"
        if not Path("/sys/class/net", name).exists():
            _ip("link", "add", "name", name, "type", "bridge")
        return name

    def _pid(self) -> psutil.Process:
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2000:])
        try:
            return bool(self.docker("version", "--format", "{{.Server.Version}}"))
        except RuntimeError:
            return False

    def _others(self, *, shims: bool = False) -> list[psutil.Process]:
        """Its containerd; with ``shims`` the parents of its containers too."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            words = " ".join(process.info["cmdline"] or ())
            ours = str(self.folder) in words or (shims and f"-namespace {self.folder.name} " in f"{words} ")
            if ours and process.info["status"] != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                found.append(process)
        return found if shims else [process for process in found if process.info["cmdline"][0].endswith("containerd")]

    def _unmount(self) -> None:
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed([mount for mount in mounts if mount.startswith(str(self.folder))]):
            subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)

    def _wait(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what}: {(self.folder / 'log').read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)


def _ip(*arguments: str) -> None:
    program = ["ip"] if shutil.which("ip") else [str(busybox_program()), "ip"]
    subprocess.run([*program, *arguments], check=True, capture_output=True)


def _kill(process: psutil.Process) -> None:
    for child in process.children(recursive=True):
        child.kill()
    process.kill()


def _dockerd() -> str:
    path = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None or os.geteuid() != 0:
        message = "docker: an engine of a test's own needs dockerd, and root"
        if "docker" in os.environ.get("SAC_TEST_REQUIRE", "").split(","):
            pytest.fail(message)
        pytest.skip(message)
    return path


@contextmanager
def private_engine(
    *, tls: bool = False, options: tuple[str, ...] = (), path: str = "", data: Path | None = None
) -> Iterator[PrivateEngine]:
    """An engine that answers; its folder's path is short, so that sockets fit in it. For the sweep alone."""
    if not os.environ.get("SAC_TEST_SWEEP"):
        pytest.skip("sweep: set SAC_TEST_SWEEP=1")
    _dockerd()
    folder = Path(tempfile.mkdtemp(prefix="sac-engine-"))
    engine = PrivateEngine(folder, unused_port() if tls else None, options, path, data)
    try:
        if tls:
            make_certificates(engine.folder / "server", engine.certificates)
        engine.start()
        yield engine
    finally:
        engine.end()


def make_certificates(server: Path, client: Path, *, names: tuple[str, ...] = ("127.0.0.1",)) -> None:
    """Of one authority: each folder has ca.pem, cert.pem and key.pem."""
    authority = trustme.CA()
    for folder, certificate in ((server, authority.issue_cert(*names)), (client, authority.issue_cert("client@sac"))):
        folder.mkdir()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
