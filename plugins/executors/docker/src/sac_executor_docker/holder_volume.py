"""The volume that brings the holder into the containers of one image: its programs, and what the image made of them.

Compiling takes longer than all else that a holder does to start, and official images bring nothing compiled. What one
image has compiled is run in its own containers alone: it might be anything.
"""

from __future__ import annotations

import hashlib
import io
import logging
import tarfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any
from uuid import uuid4

import anyio

from sac_core.errors import UnavailableError
from sac_core.held.program import DELIVER, PROGRAM, RELAY
from sac_executor_docker.engine import Engine
from sac_executor_docker.naming import IMAGE_LABEL, ROLE_LABEL
from sac_executor_docker.streams import Streams
from sac_executor_docker.troubles import Refusal
from sac_executor_docker.users import AGENT_USER

log = logging.getLogger("sac.docker")

HOLDER_PLACE = "/opt/sac"
_COMPILED = "compiled"
_COMPLETE = "complete"
_PATIENCE = 10
_MEMORY = 256 * 1024 * 1024


def python_command(python: str, program: str) -> list[str]:
    """How one of the programs is run."""
    return [python, "-I", "-S", "-X", f"pycache_prefix={HOLDER_PLACE}/{_COMPILED}", f"{HOLDER_PLACE}/{program}.py"]


class HolderVolumes:
    """One volume for each image and version of the programs. Shared by all who use an engine; none is ours alone."""

    def __init__(self, engine: Engine, streams: Streams, owner: str) -> None:
        self._engine, self._streams, self._owner = engine, streams, owner
        self._programs = programs()

    def name(self, image: str) -> str:
        """The volume of an image, by its id."""
        content = b"\0".join([image.encode(), *self._programs.values()])
        return f"sac-holder-{hashlib.sha256(content).hexdigest()[:12]}"

    async def have(self, image: str, python: str) -> None:
        """Fill it, unless it is full; raises `Refusal` 404 when the container for that is taken away."""
        async with look(self._engine, self._owner, self._compiler(image, python)) as container:
            if not await self._is_there(container, _COMPLETE):
                await self._engine.call("put_archive", container, HOLDER_PLACE, archive(self._programs))
            if not await self._is_there(container, f"{_COMPILED}/{_COMPLETE}"):
                await self._compile(container, image)

    async def there(self, image: str) -> bool:
        """Whether an image has its volume (still): somebody may have tidied up."""
        return await self._engine.found("inspect_volume", self.name(image)) is not None

    async def sweep(self) -> None:
        """Remove the volumes of images that are gone; of one whose containers are still there, the engine keeps it."""
        found = await self._engine.call("volumes", filters={"label": [f"{ROLE_LABEL}=holder", IMAGE_LABEL]})
        for volume in found["Volumes"] or ():
            if await self._engine.found("inspect_image", volume["Labels"][IMAGE_LABEL]) is None:
                await self._remove(volume["Name"])

    async def _remove(self, name: str) -> None:
        try:
            await self._engine.found("remove_volume", name)
        except Refusal as refusal:
            if refusal.status != 409:
                raise

    async def _compile(self, container: str, image: str) -> None:
        """Holders start without it too, only later."""
        try:
            await self._engine.call("start", container)
            ended = await self._engine.call("wait", container, timeout=_PATIENCE)
        except (Refusal, UnavailableError) as error:
            if isinstance(error, Refusal) and error.status == 404:
                raise
            log.info("image %s compiles nothing for its holders: %s", image, error)
        else:
            if ended["StatusCode"] != 0:
                log.info("image %s compiles nothing for its holders: code %s", image, ended["StatusCode"])

    async def _is_there(self, container: str, name: str) -> bool:
        return await self._streams.stat(container, f"{HOLDER_PLACE}/{name}") is not None

    def _compiler(self, image: str, python: str) -> dict[str, Any]:
        """A container of the image that may write compiled files, and nothing else."""
        labels = {ROLE_LABEL: "holder", IMAGE_LABEL: image}
        volume = {"Type": "volume", "Source": self.name(image), "Target": HOLDER_PLACE}
        return {
            "Image": image,
            "Entrypoint": python_command(python, "compile"),
            "Cmd": [],
            "User": AGENT_USER,
            "WorkingDir": HOLDER_PLACE,
            "Healthcheck": {"Test": ["NONE"]},
            "HostConfig": {
                "NetworkMode": "none",
                "CapDrop": ["ALL"],
                "SecurityOpt": ["no-new-privileges:true"],
                "ReadonlyRootfs": True,
                "PidsLimit": 16,
                "Memory": _MEMORY,
                "Mounts": [{**volume, "VolumeOptions": {"NoCopy": True, "Labels": labels}}],
            },
        }


@asynccontextmanager
async def look(engine: Engine, owner: str, config: Mapping[str, Any]) -> AsyncIterator[str]:
    """A container for a moment; a server that is killed meanwhile leaves it to the next one."""
    labels = {"sac/owner": owner, ROLE_LABEL: "look"}
    container = await engine.make_container(f"sac-look-{uuid4().hex[:12]}", {**config, "Labels": labels})
    try:
        yield container
    finally:
        with anyio.CancelScope(shield=True):
            await engine.found("remove_container", container, force=True)


def programs() -> dict[str, bytes]:
    """What runs in containers, by file name."""
    inside = files("sac_executor_docker") / "inside"
    ours = {name: (inside / name).read_bytes() for name in ("start.py", "compile.py")}
    return {**{program.name: program.read_bytes() for program in (PROGRAM, RELAY, DELIVER)}, **ours}


def archive(programs: Mapping[str, bytes]) -> bytes:
    """A tar of them, and a folder for what is compiled; the last file says that all are there."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(folder(_COMPILED, AGENT_USER))
        for name, content in {**programs, _COMPLETE: b""}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o444
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def folders(names: tuple[str, ...], user: str) -> bytes:
    """A tar of folders that belong to a user and group."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in names:
            tar.addfile(folder(name, user))
    return buffer.getvalue()


def folder(name: str, user: str) -> tarfile.TarInfo:
    """A folder in a tar."""
    uid, _, gid = user.partition(":")
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, int(uid), int(gid)
    return entry
