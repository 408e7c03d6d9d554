"""Runs in a container, Python 3.8+: lets a folder hold the files that it reads from its input, and no others."""

import base64
import json
import os
import shutil
import struct
import sys


def read(count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = os.read(0, count - len(data))
        if not piece:
            raise SystemExit("the input ended too soon")
        data += piece
    return data


def holds(path: str, value: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read() == value
    except OSError:
        return False


def write(folder: str, name: str, value: bytes) -> None:
    path = os.path.join(folder, name)
    if holds(path, value):
        return
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    new = path + ".new"
    if os.path.lexists(new):
        os.unlink(new)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(value)
    os.replace(new, path)


def main(folder: str) -> None:
    files = json.loads(read(struct.unpack(">I", read(4))[0]))
    if not files:
        shutil.rmtree(folder, ignore_errors=True)
        return
    os.umask(0o077)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    wanted = {os.path.join(folder, name) for name in files}
    for place, _, names in os.walk(folder):
        for name in names:
            if os.path.join(place, name) not in wanted:
                os.unlink(os.path.join(place, name))
    for name, value in files.items():
        write(folder, name, base64.b64decode(value))


main(sys.argv[1])
print("delivered", flush=True)
