"""Starting a holder: its program, its environment, its options."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from sac_core.builtin.process.folder import BodyFolder
from sac_core.builtin.process.secret_files import deliver
from sac_core.builtin.process.settings import ProcessSettings
from sac_core.errors import UnavailableError
from sac_core.models.launch import Launch
from sac_core.models.secret_use import SECRETS_DIR

_PASSED = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER")
_COMPILE = "import sys, py_compile; py_compile.compile(sys.argv[1], cfile=sys.argv[2], doraise=True)"
_COMPILE_DEADLINE = 10.0


def holder_program(folder: Path, settings: ProcessSettings) -> Path:
    """The holder's program: compiled into ``folder`` for the interpreter that runs it: it starts soon, stays small.

    The source itself when it cannot be compiled. Waits for at most 10 s.
    """
    source, compiled = Path(str(files("sac_core"))) / "holder" / "program.py", folder / "holder.pyc"
    try:
        if settings.python is None:
            py_compile.compile(str(source), cfile=str(compiled), doraise=True)
        else:
            _compile_with(settings.python, source, compiled)
    except (OSError, subprocess.SubprocessError):
        return source
    return compiled


def _compile_with(python: str, source: Path, compiled: Path) -> None:
    subprocess.run(
        [python, "-I", "-S", "-c", _COMPILE, str(source), str(compiled)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=body_environment(ProcessSettings(), os.environ),
        timeout=_COMPILE_DEADLINE,
        check=True,
    )


def body_environment(settings: ProcessSettings, server: Mapping[str, str]) -> dict[str, str]:
    """What a body sees of the server's environment: the usual names and the operator's, never SAC's own."""
    names = {*_PASSED, *(name for name in settings.pass_env if not name.startswith("SAC_"))}
    env = {name: server[name] for name in sorted(names) if name in server}
    env.setdefault("PATH", os.defpath)
    env.setdefault("LANG", "C.UTF-8")
    return env


def start_holder(
    program: Path,
    folder: BodyFolder,
    launch: Launch,
    settings: ProcessSettings,
    lock: int,
    files: Mapping[str, bytes],
) -> subprocess.Popen[bytes]:
    """Start a holder that inherits the body's lock. What is returned only starts it and soon ends."""
    try:
        folder.clear()
        deliver(folder.secrets, files)
        if launch.template.cwd is None:
            folder.work.mkdir(mode=0o700, exist_ok=True)
        with folder.log.open("wb") as log:
            python = settings.python or sys.executable
            return subprocess.Popen(
                [python, "-I", "-S", str(program), *_options(folder, launch, settings, lock)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**body_environment(settings, os.environ), SECRETS_DIR: str(folder.secrets)},
                cwd="/",
                pass_fds=(lock,),
                start_new_session=True,
            )
    except OSError as error:
        raise UnavailableError(f"cannot start a holder: {error}", retry_after=5) from None


def _options(folder: BodyFolder, launch: Launch, settings: ProcessSettings, lock: int) -> list[str]:
    options = {
        "dir": str(folder.path),
        "uid": folder.uid,
        "cwd": launch.template.cwd or "work",
        "lock-fd": str(lock),
        "memory": str(launch.template.resources.memory or ""),
        "processes": str(launch.template.resources.processes or ""),
        "nice": str(settings.nice or ""),
    }
    return [part for name, value in options.items() if value for part in (f"--{name}", value)]
