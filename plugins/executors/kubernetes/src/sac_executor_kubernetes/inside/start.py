"""Runs in a container, Python 3.8+: makes the folders of the agent, then becomes the holder.

The volumes are empty at first, and belong to whoever the cluster makes them for. The holder's folder is its alone.
"""

import os
import sys


def make(folder: str) -> None:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"user {os.getuid()} cannot write in the volume: {folder}: {error.strerror}") from None


def main(run: str, program: str, *options: str) -> None:
    for folder in (run, os.environ["HOME"], os.environ.pop("SAC_WORK")):
        make(folder)
    os.chdir(run)
    os.execv(sys.executable, [sys.executable, "-I", "-S", program, "--dir", run, *options])


main(*sys.argv[1:])
