"""Runs in a container, Python 3.8+: makes the folders of the agent, then becomes the holder.

The volumes are empty at first, and belong to whoever the cluster makes them for. The holder's folder is its alone.
"""

import os
import sys


def main(run: str, program: str, *options: str) -> None:
    os.umask(0o077)
    os.makedirs(run, mode=0o700, exist_ok=True)
    for name in ("HOME", "SAC_WORK"):
        os.makedirs(os.environ[name], exist_ok=True)
    os.chdir(run)
    del os.environ["SAC_WORK"]
    os.umask(0o022)
    words = [sys.executable, "-I", "-S", program, "--dir", run, *options]
    os.execv(sys.executable, words)


main(*sys.argv[1:])
