"""What this machine offers to bodies that are processes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from sac_core.builtin.process.host import LINUX
from sac_core.builtin.process.refusals import limits_memory, limits_processes
from sac_core.models.body import Finding, Probe


def probe(program: Path, folder: Path) -> Probe:
    """Reachable when the holder's program is there and the folder can be written."""
    findings = [_isolation(), *_system(), *_files(program, folder)]
    limits = {}
    if limits_memory():
        limits["memory"] = "of each process, its address space"
    if limits_processes():
        limits["processes"] = "all processes of this user together"
    return Probe(
        reachable=all(finding.level != "error" for finding in findings),
        isolated=False,
        place=_place(folder),
        capabilities=("holder", "stop", "replace", "files", "dial", *(("limits",) if limits else ())),
        limits=limits,
        findings=tuple(findings),
    )


def _place(folder: Path) -> str:
    """This machine and the folder: processes are reached from nowhere else."""
    return f"{socket.gethostname()}:{folder}"


def _isolation() -> Finding:
    return Finding(
        level="warning",
        check="isolation",
        message="not a sandbox: agents run as your user and may do what you may do",
        advice="run only agents that you trust, or use an executor that isolates them",
    )


def _system() -> list[Finding]:
    if LINUX:
        return []
    return [
        Finding(
            level="warning",
            check="system",
            message="this system does not show what a killed holder left behind",
            advice="for development only; use Linux for service",
        )
    ]


def _files(program: Path, folder: Path) -> list[Finding]:
    if not program.is_file():
        return [Finding(level="error", check="holder", message=f"{program} is missing", advice="install SAC again")]
    if not os.access(folder, os.W_OK):
        return [
            Finding(level="error", check="folder", message=f"{folder} cannot be written", advice="change its owner")
        ]
    return []
