"""What `import sac_core` and `sac --help` take over an interpreter that does nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figures import Bar, Figure, added

NOTHING = (sys.executable, "-c", "pass")
IMPORT = (sys.executable, "-c", "import sac_core")
HELP = (str(Path(sys.executable).with_name("sac")), "--help")


def measure(*, rounds: int = 20) -> Iterator[Figure]:
    """Each in turn with the bare interpreter."""
    yield _beside("import sac_core", IMPORT, 30, rounds)
    yield _beside("sac --help", HELP, 250, rounds)


def _beside(name: str, command: Sequence[str], bar: float, rounds: int) -> Figure:
    _run(command)
    pairs = [(_run(command), _run(NOTHING)) for _ in range(rounds)]
    ours, bare = zip(*pairs, strict=True)
    return added(name, "ms", ours, bare, peer_name="bare interpreter", bar=Bar(bar, unit="ms added"))


def _run(command: Sequence[str]) -> float:
    """Milliseconds of one run."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000
