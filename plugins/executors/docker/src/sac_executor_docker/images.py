"""Images: there or to be pulled, with a Python for the holder or without; and the volume that brings the holder in."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from uuid import uuid4

import anyio

from sac_core.errors import UnavailableError
from sac_core.held.program import PROGRAM
from sac_executor_docker.engine import Engine
from sac_executor_docker.naming import ROLE_LABEL
from sac_executor_docker.streams import Streams
from sac_executor_docker.troubles import Refusal, image_error

HOLDER_PLACE = "/opt/sac"
LOOKS = 3
"""How often it is looked into an image: a server that starts, this one too, removes what it finds of looks."""
_COMPLETE = "complete"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OLDEST = 8


@dataclass(frozen=True, slots=True)
class Image:
    """An image at the engine. ``python`` is the path of one that can run the holder."""

    id: str
    python: str | None


class Images:
    """What is known of the engine's images; a cache that a restart may lose."""

    def __init__(self, engine: Engine, streams: Streams, owner: str) -> None:
        self._engine, self._streams, self._owner = engine, streams, owner
        self._pythons: dict[str, str | None] = {}
        self._looking = anyio.Lock()
        self._programs = programs()
        self.holder_volume = f"sac-holder-{_digest(self._programs)}"

    async def find(self, name: str) -> Image | None:
        """An image that is there."""
        about = await self._engine.found("inspect_image", name)
        if about is None:
            return None
        async with self._looking:
            if about["Id"] not in self._pythons:
                self._pythons[about["Id"]] = await self._look(about)
        return Image(about["Id"], self._pythons[about["Id"]])

    async def pull(self, name: str, tell: Callable[[str], None]) -> None:
        """Pull it; raises `LaunchError` in the registry's words."""
        async with aclosing(self.pulling(name)) as lines:
            async for line in lines:
                tell(line)

    async def pulling(self, name: str) -> AsyncGenerator[str]:
        """Pull it, with lines for people; closing this ends it."""
        try:
            progress = Progress()
            async for told in self._streams.pull(name, await self._engine.login(name)):
                if "error" in told:
                    raise image_error(name, str(told["error"]))
                yield progress.line(told)
        except Refusal as refusal:
            raise image_error(name, refusal.said) from None

    async def _look(self, about: dict[str, Any]) -> str | None:
        """Look for a Python through a container that is never started; fill the holder's volume through it too."""
        labels = {"sac/owner": self._owner, ROLE_LABEL: "look"}
        mount = {"Type": "volume", "Source": self.holder_volume, "Target": HOLDER_PLACE}
        mount["VolumeOptions"] = {"NoCopy": True, "Labels": {ROLE_LABEL: "holder"}}  # type: ignore[assignment]
        config = {
            "Image": about["Id"],
            "Entrypoint": ["none"],
            "Labels": labels,
            "HostConfig": {"NetworkMode": "none", "Mounts": [mount]},
        }
        for _ in range(LOOKS):
            container = await self._engine.make_container(f"sac-look-{uuid4().hex[:12]}", config)
            try:
                await self._fill(container)
                path = await self._python_of(container, about)
                if await self._engine.found("inspect_container", container) is not None:
                    return path  # else what was not found may have been there
            except Refusal as refusal:
                if refusal.status != 404:
                    raise
            finally:
                with anyio.CancelScope(shield=True):
                    await self._engine.found("remove_container", container, force=True)
        raise taken_away()

    async def _python_of(self, container: str, about: dict[str, Any]) -> str | None:
        env = dict(entry.partition("=")[::2] for entry in (about.get("Config") or {}).get("Env") or ())
        for folder in env.get("PATH", _PATH).split(":"):
            for name in ("python3", "python"):
                found = await self._streams.stat(container, f"{folder}/{name}")
                if found is not None and _can_run(found):
                    return f"{folder}/{name}"
        return None

    async def _fill(self, container: str) -> None:
        if await self._streams.stat(container, f"{HOLDER_PLACE}/{_COMPLETE}") is None:
            await self._engine.call("put_archive", container, HOLDER_PLACE, archive(self._programs))


def taken_away() -> UnavailableError:
    """Whoever tidies up was quicker each time."""
    return UnavailableError("the container that looks into the image is taken away", reason="EngineRefused")


class Progress:
    """A line about a pull, for people."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[int, int]] = {}

    def line(self, told: dict[str, Any]) -> str:
        """With what was told now."""
        about = told.get("progressDetail") or {}
        if told.get("status") == "Downloading" and about.get("total"):
            self._layers[str(told.get("id"))] = (about.get("current", 0), about["total"])
        done, total = (sum(numbers) for numbers in zip(*self._layers.values(), strict=True)) if self._layers else (0, 0)
        return f"pulling the image: {done >> 20} of {total >> 20} MiB" if total else "pulling the image"


def _can_run(stat: dict[str, Any]) -> bool:
    """By its name, for it cannot be asked: python3.7 is too old, and python may be python2."""
    target = str(stat.get("linkTarget") or stat.get("name"))
    version = re.search(r"python3\.(\d+)[^/]*$", target)
    return "python2" not in target and (version is None or int(version[1]) >= _OLDEST)


def programs() -> dict[str, bytes]:
    """What runs in containers, by file name."""
    inside = files("sac_executor_docker") / "inside"
    ours = {name: (inside / name).read_bytes() for name in ("relay.py", "deliver.py")}
    return {"program.py": PROGRAM.read_bytes(), **ours}


def _digest(programs: dict[str, bytes]) -> str:
    return hashlib.sha256(b"\0".join(programs.values())).hexdigest()[:12]


def archive(programs: dict[str, bytes]) -> bytes:
    """A tar of them; the last file says that all are there."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in {**programs, _COMPLETE: b""}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o444
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def folders(names: tuple[str, ...], user: str) -> bytes:
    """A tar of folders that belong to a user and group."""
    uid, _, gid = user.partition(":")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, int(uid), int(gid)
            tar.addfile(entry)
    return buffer.getvalue()
