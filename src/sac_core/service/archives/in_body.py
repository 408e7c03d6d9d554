"""Runs in bodies that have no tar, as ``python3 -c``: from Python 3.8 on, with nothing but its standard library.

``stat PATH``, ``get PATH``, ``put PATH``; the path percent-encoded. Ends as the shell scripts of `tools` do.
"""

from __future__ import annotations

import os
import sys
import tarfile
import urllib.parse
from collections.abc import Iterator
from typing import Any

MISSING, CLOSED, SPECIAL, NOT_A_FOLDER = 92, 93, 94, 96


def type_of(path: str) -> str:
    if os.path.isdir(path):
        return "folder"
    if os.path.isfile(path):
        return "file"
    if not os.path.exists(path):
        sys.exit(MISSING)
    return "special"


def get(path: str) -> None:
    found = type_of(path)
    if found == "special":
        sys.exit(SPECIAL)
    if not os.access(path, os.R_OK | (os.X_OK if found == "folder" else 0)):
        sys.exit(CLOSED)
    os.chdir(path if found == "folder" else os.path.dirname(path))
    name = "." if found == "folder" else "./" + os.path.basename(path)
    options: Any = {"format": tarfile.GNU_FORMAT, "dereference": found == "file"}
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", **options) as tar:
        tar.add(name)


def put(path: str) -> None:
    if type_of(path) != "folder":
        sys.exit(NOT_A_FOLDER)
    if not os.access(path, os.X_OK):
        sys.exit(CLOSED)
    os.chdir(path)
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as tar:
        trusted: Any = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
        tar.extractall(".", members=owned(tar), **trusted)


def owned(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for info in tar:
        if info.name.startswith("/") or ".." in info.name.split("/"):
            sys.exit(f"{info.name}: the name leaves the folder")
        info.uid, info.gid, info.uname, info.gname = os.getuid(), os.getgid(), "", ""
        yield info


def main(verb: str, encoded: str) -> None:
    path = os.fsdecode(urllib.parse.unquote_to_bytes(encoded))
    try:
        if verb == "stat":
            print(type_of(path))
        elif verb == "get":
            get(path)
        else:
            put(path)
    except tarfile.TarError as error:
        sys.exit(f"not a tar archive: {error}")
    except OSError as error:
        sys.exit(f"{error.filename or path}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
