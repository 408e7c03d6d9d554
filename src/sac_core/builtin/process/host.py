"""Processes of this machine: found by pid and start time, signalled without touching a stranger; a body's strays."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

LINUX = sys.platform.startswith("linux")
MARKER = "SAC_BODY"
"""The environment variable by which a body's processes are known."""


def start_of(pid: int) -> int | None:
    """When a living process started, in ticks since boot; None when it is gone or a zombie; 0 where nobody can say."""
    if not LINUX:
        return 0 if _exists(pid) else None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if not fields or fields[0] in "ZX" else int(fields[19])


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def signal_process(pid: int, start: int, number: signal.Signals) -> bool:
    """Signal the process of that pid that started then; False when it is gone. Never reaches a successor of its pid."""
    if not LINUX:
        return _exists(pid) and _kill(pid, number)
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if start_of(pid) != start:
            return False
        signal.pidfd_send_signal(handle, number)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


def _kill(pid: int, number: signal.Signals) -> bool:
    with suppress(OSError):
        os.kill(pid, number)
        return True
    return False


def strays(uid: str) -> dict[int, int]:
    """pid -> start time of living processes of our user that carry the body's marker; empty where there is no /proc."""
    if not LINUX:
        return {}
    marker = f"{MARKER}={uid}".encode()
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and _carries(name, marker):
            start = start_of(int(name))
            if start is not None and int(name) != os.getpid():
                found[int(name)] = start
    return found


def descendants(pid: int) -> set[int]:
    """The processes that a process and its children started, those that hide their environment too."""
    parents = {int(name): _parent(name) for name in os.listdir("/proc") if name.isdigit()}
    found: set[int] = set()
    grown = {pid}
    while grown:
        found |= grown
        grown = {child for child, parent in parents.items() if parent in grown} - found
    return found - {pid}


def _parent(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _carries(pid: str, marker: bytes) -> bool:
    try:
        return marker in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def kill_strays(uid: str) -> bool:
    """Kill what a lost holder left behind; False means that nothing of the body lived."""
    found = strays(uid)
    for pid, start in found.items():
        signal_process(pid, start, signal.SIGKILL)
    return bool(found)
