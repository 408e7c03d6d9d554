"""What `sac cp` means: where a copy lands, by what is there already, as `cp -r` decides it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import NamedTuple, cast

from anyio import to_thread

from sac_core.cli.packing import pack, pack_bytes
from sac_core.cli.streams import STDIN, STDOUT, read, write
from sac_core.cli.tarring import Moved, consume, on_the_loop, produced
from sac_core.cli.unpacking import unpack_data, unpack_file, unpack_folder
from sac_core.contracts.files import Files
from sac_core.errors import InvalidError, NotFoundError
from sac_core.models.file import FileType

PIPE = "-"


class Remote(NamedTuple):
    """A path of an agent."""

    agent: str
    path: str


class Landing(NamedTuple):
    """A folder of an agent, and the name that something gets in it; ``.`` for what is in a folder."""

    folder: str
    name: str


async def download(files: Files, remote: Remote, local: str, moved: Moved) -> None:
    """From an agent to this machine."""
    found = (await files.stat(*remote)).type
    if found == "special":
        raise InvalidError(f"{remote.path} is neither a file nor a folder", reason="Special", field="SOURCE")
    async with aclosing(cast("AsyncGenerator[bytes]", files.get(*remote))) as tar:
        if local == PIPE:
            await _print(tar, found, moved)
        elif found == "file":
            await consume(tar, partial(unpack_file, place=_place_of_file(remote.path, local)), moved)
        else:
            await consume(tar, partial(unpack_folder, root=_place_of_folder(remote.path, local)), moved)


async def upload(files: Files, local: str, remote: Remote, moved: Moved) -> None:
    """From this machine to an agent."""
    if local == PIPE:
        await _send_input(files, remote, moved)
        return
    landing = await _landing(files, remote, local, folder=_is_folder(local))
    async with produced(partial(pack, local, landing.name), moved) as tar:
        await files.put(remote.agent, landing.folder, tar)


async def _print(tar: AsyncIterator[bytes], found: FileType, moved: Moved) -> None:
    """What is in a file, or the archive of a folder, to the standard output."""
    if found == "file":
        await consume(tar, partial(unpack_data, write=_show), moved)
        return
    if os.isatty(STDOUT):
        raise InvalidError("the archive would go to the terminal", field="TARGET", reason="Usage", hint="use a pipe")
    async for piece in tar:
        await write(STDOUT, piece)


def _show(data: bytes) -> None:
    on_the_loop(write, STDOUT, data)


async def _send_input(files: Files, remote: Remote, moved: Moved) -> None:
    """The standard input: an archive for a folder that is there, else what a file shall hold."""
    found = await _type(files, remote)
    if found == "folder":
        await files.put(*remote, _input())
        return
    folder, name = _apart(remote.path)
    with tempfile.TemporaryFile() as kept:  # an archive tells the size before what is in the file
        async for piece in _input():
            await to_thread.run_sync(kept.write, piece)
        async with produced(partial(pack_bytes, kept, name), moved) as tar:
            await files.put(remote.agent, folder, tar)


async def _input() -> AsyncIterator[bytes]:
    while data := await read(STDIN):
        yield data


async def _type(files: Files, remote: Remote) -> FileType | None:
    """What is at a path; None where nothing is."""
    try:
        return (await files.stat(*remote)).type
    except NotFoundError as error:
        if error.reason != "FileNotFound":
            raise
        return None


async def _landing(files: Files, remote: Remote, local: str, *, folder: bool) -> Landing:
    found = await _type(files, remote)
    if found == "folder":
        return Landing(remote.path, "." if folder and _means_contents(local) else os.path.basename(local.rstrip("/")))
    if found is not None and (folder or found == "special"):
        raise InvalidError(f"{remote.path} is there and is no folder", reason="InTheWay", field="TARGET")
    if not folder and remote.path.endswith("/"):
        raise NotFoundError(f"there is no folder {remote.path} in the agent", reason="FileNotFound", field="TARGET")
    return _apart(remote.path)


def _is_folder(local: str) -> bool:
    if not os.path.exists(local):
        raise NotFoundError(f"there is no {local}", reason="FileNotFound", field="SOURCE")
    return os.path.isdir(local)


def _place_of_file(path: str, local: str) -> str:
    place = os.path.realpath(local)
    if os.path.isdir(place):
        place = os.path.join(place, os.path.basename(path))
        if os.path.isdir(place):
            raise InvalidError(f"{place} is a folder", reason="InTheWay", field="TARGET")
    elif local.endswith("/"):
        raise NotFoundError(f"there is no folder {local}", reason="FileNotFound", field="TARGET")
    if os.path.exists(place) and not os.path.isfile(place):
        raise InvalidError(f"{place} is no file", reason="InTheWay", field="TARGET", hint="- is the standard output")
    return _in_a_folder(place)


def _place_of_folder(path: str, local: str) -> str:
    place = os.path.realpath(local)
    if os.path.isdir(place) and not _means_contents(path):
        place = os.path.join(place, os.path.basename(path.rstrip("/")))
    if os.path.lexists(place) and not os.path.isdir(place):
        raise InvalidError(f"{place} is there and is no folder", reason="InTheWay", field="TARGET")
    return _in_a_folder(os.path.realpath(place))


def _in_a_folder(place: str) -> str:
    if not os.path.isdir(os.path.dirname(place)):
        raise NotFoundError(f"there is no folder {os.path.dirname(place)}", reason="FileNotFound", field="TARGET")
    return place


def _means_contents(path: str) -> bool:
    """Whether a path names no folder but what is in it: ``src/.``, ``.``, ``..``, ``/``."""
    return os.path.basename(path.rstrip("/")) in ("", ".", "..")


def _apart(path: str) -> Landing:
    """The folder of a path, and its last part."""
    folder, name = os.path.split(path.rstrip("/"))
    if name in ("", ".", ".."):
        raise InvalidError(f"{path} names no file", field="TARGET")
    return Landing(folder or ".", name)
