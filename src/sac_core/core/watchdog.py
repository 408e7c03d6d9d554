"""Names who holds up the event loop: a thread looks at what runs there when the loop has not turned for a while."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from sac_core.hooks.registry import Registry

log = logging.getLogger("sac.watchdog")

TOO_LONG = 0.2
"""Seconds that one turn of the event loop may take before somebody is named."""
LOOK = 0.1
"""Seconds between two looks, and between two beats of the loop."""


def homes(registry: Registry) -> dict[str, tuple[str, str]]:
    """Folder or file of each plugin's code: (family, name)."""
    found = {}
    for family, name, offer in registry.offers():
        opener = getattr(offer, "open", None) or getattr(offer, "make", None)
        home = _home(getattr(opener, "__module__", ""))
        if home:
            found[home] = (family, name)
    return found


def _home(module: str) -> str:
    """Where the code of a module's distribution is; of ours, the folder of the module alone."""
    top = module.partition(".")[0]
    loaded = sys.modules.get(module if top == "sac_core" else top)
    file = getattr(loaded, "__file__", None)
    if file is None:
        return ""
    return str(Path(file).parent) + "/" if hasattr(loaded, "__path__") or top == "sac_core" else str(file)


@dataclass(slots=True)
class Watchdog:
    """Beats on the loop, looks from a thread."""

    registry: Registry
    homes: dict[str, tuple[str, str]]
    loop: asyncio.AbstractEventLoop
    thread: int = field(default_factory=threading.get_ident)
    task: int = field(default_factory=threading.get_native_id)
    _beat: float = field(default_factory=time.monotonic)
    _ended: threading.Event = field(default_factory=threading.Event)

    def beat(self) -> None:
        """On the loop: it turns."""
        self._beat = time.monotonic()
        if not self._ended.is_set():
            self.loop.call_later(LOOK, self.beat)

    def look(self) -> None:
        """In the thread, until the end."""
        seen, queued = self._beat, queued_for(self.task)
        culprit: tuple[float, str, tuple[str, str] | None] | None = None
        while not self._ended.wait(LOOK):
            if self._beat != seen:
                seen, queued = self._beat, queued_for(self.task)
            late = time.monotonic() - seen - LOOK
            held = late - (queued_for(self.task) - queued) if late > TOO_LONG else 0.0
            if held > TOO_LONG:
                culprit = (held, *(culprit[1:] if culprit else self._who()))
            elif late <= TOO_LONG and culprit is not None:
                self._tell(*culprit)
                culprit = None

    def _who(self) -> tuple[str, tuple[str, str] | None]:
        """Where the loop is, and whose code that is: the innermost frame of a plugin, else the innermost of all."""
        frames = list(_frames(sys._current_frames().get(self.thread)))
        for frame in frames:
            for home, plugin in self.homes.items():
                if frame.f_code.co_filename.startswith(home):
                    return _place(frame), plugin
        return (_place(frames[0]) if frames else "somewhere"), None

    def _tell(self, seconds: float, place: str, plugin: tuple[str, str] | None) -> None:
        told = f"held up the event loop for {seconds:.1f} s, in {place}"
        if plugin is None:
            log.info("something %s", told)
        else:
            self.loop.call_soon_threadsafe(self.registry.troubles.note, *plugin, told)

    def end(self) -> None:
        """Look no more."""
        self._ended.set()


def queued_for(task: int) -> float:
    """Seconds that a thread has waited for a processor: a busy machine is nobody's fault. 0 where that is not told."""
    try:
        return int(Path(f"/proc/self/task/{task}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_name} ({Path(frame.f_code.co_filename).name}:{frame.f_lineno})"


@asynccontextmanager
async def open_watchdog(registry: Registry) -> AsyncIterator[None]:
    """Watches the running loop until the context is left."""
    watchdog = Watchdog(registry, homes(registry), asyncio.get_running_loop())
    thread = threading.Thread(target=watchdog.look, name="sac watchdog", daemon=True)
    watchdog.beat()
    thread.start()
    try:
        yield
    finally:
        watchdog.end()
        thread.join(TOO_LONG)
