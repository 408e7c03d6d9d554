"""Plugins' objects, each opened in a task of its own: one that hangs, raises or leaks there harms nobody else."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import anyio

from sac_core.contracts.background import background
from sac_core.errors import SacError, UnavailableError
from sac_core.hooks.troubles import Troubles

T = TypeVar("T")

OPEN_DEADLINE = 10.0
"""Seconds in which all plugins open; they open at the same time."""
CLOSE_DEADLINE = 10.0
"""Seconds in which all plugins close; what is not closed then is cancelled."""


def in_words(error: BaseException) -> str:
    """What a plugin raised: in its words when it is one of ours, else with its class; of a group, the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) if isinstance(error, SacError) else f"{type(error).__name__}: {error}"


@dataclass(slots=True)
class Hosted(Generic[T]):
    """One plugin's object, on its way or there."""

    family: str
    name: str
    make: Callable[[], AbstractAsyncContextManager[T]]
    kind: type[Any]
    troubles: Troubles
    due: float
    _ready: anyio.Event = field(default_factory=anyio.Event)
    _leave: anyio.Event = field(default_factory=anyio.Event)
    _left: anyio.Event = field(default_factory=anyio.Event)
    _scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _thing: T | None = None
    _error: BaseException | None = None

    async def live(self) -> None:
        """Enter its context, stay until it is to leave, and leave; nothing that it raises gets out of here."""
        try:
            with self._scope:
                async with self.make() as thing:
                    self._thing = self._checked(thing)
                    self._ready.set()
                    await self._leave.wait()
        except (Exception, SystemExit) as error:
            self._ended(error)
        except anyio.get_cancelled_exc_class():
            if anyio.current_effective_deadline() == -math.inf:
                raise
            self._ended(RuntimeError("it cancelled itself"))
        finally:
            self._ready.set()
            self._left.set()

    def _checked(self, thing: T) -> T:
        if not isinstance(thing, self.kind):
            raise TypeError(f"it opened a {type(thing).__name__}, not a {self.kind.__name__}")
        return thing

    def _ended(self, error: BaseException) -> None:
        self._error = error
        if self._leave.is_set():
            self.troubles.note(self.family, self.name, f"it does not close: {in_words(error)}")
        elif self._thing is not None:
            self.troubles.fail(self.family, self.name, f"it ended by itself: {in_words(error)}")

    async def opened(self) -> T:
        """The object; raises what opening it raised, in our words, or `UnavailableError` at the deadline."""
        with anyio.move_on_at(self.due):
            await self._ready.wait()
        if self._thing is not None:
            return self._thing
        if self._error is not None:
            raise UnavailableError(in_words(self._error)) from self._error
        self._scope.cancel()
        raise UnavailableError(f"it did not open within {OPEN_DEADLINE:g} s")

    @property
    def ended(self) -> bool:
        """Whether it is closed, or has ended by itself."""
        return self._left.is_set()

    def leave(self) -> None:
        """Begin to close it; what is still being opened is given up."""
        self._leave.set()
        if self._thing is None:
            self._scope.cancel()

    async def left(self, deadline: float) -> None:
        """Wait until it is closed; at the deadline it is cancelled."""
        with anyio.move_on_at(deadline, shield=True):
            await self._left.wait()
        if not self._left.is_set():
            self.troubles.note(self.family, self.name, f"it did not close within {CLOSE_DEADLINE:g} s")
            self._scope.cancel()


@dataclass(slots=True)
class Hosting:
    """Begins to open plugins; made by `open_hosting`."""

    begin: Callable[[Hosted[Any]], None]

    def host(
        self,
        family: str,
        name: str,
        make: Callable[[], AbstractAsyncContextManager[T]],
        kind: type[Any],
        troubles: Troubles,
    ) -> Hosted[T]:
        """Begin to open one; `Hosted.opened` waits for it."""
        hosted: Hosted[T] = Hosted(family, name, make, kind, troubles, anyio.current_time() + OPEN_DEADLINE)
        self.begin(hosted)
        return hosted


@asynccontextmanager
async def open_hosting() -> AsyncIterator[Hosting]:
    """Hosts plugins until the context is left, then closes them all at once."""
    everyone: list[Hosted[Any]] = []

    async def live(hosted: Hosted[Any]) -> None:
        try:
            await hosted.live()
        finally:
            everyone.remove(hosted)

    async with background() as group:

        def begin(hosted: Hosted[Any]) -> None:
            everyone.append(hosted)
            group.start_soon(live, hosted, name=f"{hosted.family} {hosted.name}")

        try:
            yield Hosting(begin)
        finally:
            last = list(everyone)
            for hosted in last:
                hosted.leave()
            deadline = anyio.current_time() + CLOSE_DEADLINE
            for hosted in last:
                await hosted.left(deadline)
