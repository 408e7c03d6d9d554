"""Images: there or to be pulled, with a Python for the holder or without."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import anyio

from sac_core.errors import UnavailableError
from sac_executor_docker.engine import Engine
from sac_executor_docker.holder_volume import HolderVolumes, look
from sac_executor_docker.streams import Streams
from sac_executor_docker.troubles import Refusal, image_error

LOOKS = 3
"""How often it is looked into an image: a server that starts, this one too, removes what it finds of looks."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OLDEST = 8


@dataclass(frozen=True, slots=True)
class Image:
    """An image at the engine. ``python`` is the path of one that can run the holder, which ``volume`` brings in."""

    id: str
    python: str | None
    volume: str = ""


class Images:
    """What is known of the engine's images; a cache that a restart may lose."""

    def __init__(self, engine: Engine, streams: Streams, volumes: HolderVolumes, owner: str) -> None:
        self._engine, self._streams, self._volumes, self._owner = engine, streams, volumes, owner
        self._known: dict[str, Image] = {}
        self._looking = anyio.Lock()

    async def find(self, name: str) -> Image | None:
        """An image that is there, and the volume of its holder with it."""
        about = await self._engine.found("inspect_image", name)
        if about is None:
            return None
        id = str(about["Id"])
        known = self._known.get(id)
        if known is None or (known.python is not None and not await self._volumes.there(id)):
            async with self._looking:
                if self._known.get(id) is known:  # else somebody else has looked meanwhile
                    self._known[id] = await self._look(about)
        return self._known[id]

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

    async def _look(self, about: dict[str, Any]) -> Image:
        """Look for a Python through a container that is never started; where there is one, have the holder's volume."""
        id = str(about["Id"])
        config = {"Image": id, "Entrypoint": ["none"], "HostConfig": {"NetworkMode": "none"}}
        for _ in range(LOOKS):
            try:
                async with look(self._engine, self._owner, config) as container:
                    python = await self._python_of(container, about)
                    there = await self._engine.found("inspect_container", container)
                if there is None:
                    continue  # what was not found may have been there
                if python is not None:
                    await self._volumes.have(id, python)
                return Image(id, python, self._volumes.name(id))
            except Refusal as refusal:
                if refusal.status != 404:
                    raise
        raise taken_away()

    async def _python_of(self, container: str, about: dict[str, Any]) -> str | None:
        env = dict(entry.partition("=")[::2] for entry in (about.get("Config") or {}).get("Env") or ())
        for folder in env.get("PATH", _PATH).split(":"):
            for name in ("python3", "python"):
                found = await self._streams.stat(container, f"{folder}/{name}")
                if found is not None and _can_run(found):
                    return f"{folder}/{name}"
        return None


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
