"""Runs once in each image, Python 3.8+: imports all that the holder does, so that Python keeps it compiled."""

import sys
from contextlib import suppress

FOLDER = __file__.rpartition("/")[0]
sys.path.append(FOLDER)

import start  # type: ignore[import-not-found]  # noqa: E402, F401

with suppress(ImportError):
    import ctypes  # noqa: F401 (the holder does when it starts)

with open(FOLDER + "/compiled/complete", "w"):
    pass
