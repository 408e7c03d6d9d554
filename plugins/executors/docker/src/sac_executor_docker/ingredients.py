"""What the builder is sent: a Containerfile, and the program of this machine that is copied."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio

from sac_core.models.recipe import Recipe

LABEL = "sac/image"
"""``sac/image.runtime``, ``.version`` and ``.base`` are on every image that was built here."""
_MACHINES = {"x86_64": 62, "amd64": 62, "aarch64": 183, "arm64": 183}
"""How the engine calls a kind of machine, and how a program of Linux says that it is for that."""
_PIECE = 1 << 20
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Program:
    """A program of this machine, as a file of ``size`` bytes."""

    name: str
    path: Path
    size: int


def find_program(name: str, architecture: str) -> Program | None:
    """The program on PATH, if it is one file that machines of that kind run."""
    found = shutil.which(name)
    if found is None:
        return None
    path = Path(found).resolve()
    try:
        with path.open("rb") as file:
            head = file.read(20)
            size = os.fstat(file.fileno()).st_size
    except OSError:
        return None
    fits = head[:4] == b"\x7fELF" and int.from_bytes(head[18:20], "little") == _MACHINES.get(architecture)
    return Program(name, path, size) if fits else None


def containerfile(base: str, recipe: Recipe, program: Program | None) -> str:
    """The steps from the base to an image with the program."""
    place = f"/usr/local/bin/{recipe.program}"
    add = f"COPY {program.name} {place}" if program else f"RUN {recipe.install}"
    return f"FROM {base}\nUSER 0:0\nRUN {recipe.setup}\n{add}\n"


def labels(image: str, recipe: Recipe, base: str, version: str) -> str:
    """An image as it is, with labels that say what it is."""
    told = {"runtime": recipe.name, "version": version, "base": base}
    return f"FROM {image}\n" + "".join(f"LABEL {LABEL}.{name}={_quoted(text)}\n" for name, text in told.items())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("$", "\\$")


async def context(steps: str, program: Program | None) -> AsyncIterator[bytes]:
    """The tar that the builder takes, piece by piece."""
    content = steps.encode()
    yield _entry("Containerfile", len(content), 0o644) + content + _padding(len(content))
    if program is not None:
        yield _entry(program.name, program.size, 0o755)
        async with await anyio.open_file(program.path, "rb") as file:
            left = program.size
            while left and (piece := await file.read(min(_PIECE, left))):
                left -= len(piece)
                yield piece
        yield _padding(program.size)
    yield bytes(2 * _BLOCK)


def _entry(name: str, size: int, mode: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, mode
    return entry.tobuf()


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)
