"""Where an engine is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Address:
    """``host`` as the user wrote it; ``socket`` is the path of a unix socket, ``tls`` a folder of certificates."""

    host: str
    socket: str | None = None
    tls: Path | None = None

    @property
    def url(self) -> str:
        """The base of HTTP requests."""
        if self.socket is not None:
            return "http://docker"
        return self.host.replace("tcp://", "https://" if self.tls else "http://", 1)

    @property
    def local(self) -> bool:
        """Whether folders of this machine are folders of the engine's."""
        return self.socket is not None
