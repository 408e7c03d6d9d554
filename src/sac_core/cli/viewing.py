"""A session in the user's terminal: keys in, bytes out, size, detaching, and coming back by offset."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress

import anyio

from sac_core.cli import rawtty
from sac_core.cli.emulation import History, Modes
from sac_core.cli.keyboard import Keyboard
from sac_core.cli.signals import ENDING
from sac_core.cli.stay import Left, Wish
from sac_core.cli.streams import STDOUT, write
from sac_core.client.surface import HttpSac
from sac_core.contracts.sac import Terminal
from sac_core.errors import ForbiddenError, LostError, SacError, UnavailableError
from sac_core.models.process import Exit
from sac_core.wire.terminal import Exited, Failure, Gap, Input, Output, Role, RoleChanged, TerminalEvent

PATIENCE = 600.0
"""Seconds to wait for a server that went away."""
LONGEST_PAUSE = 3.0
_TAKING = 3.0
"""Seconds that what is typed waits for a take-over."""

Opener = Callable[[], AbstractAsyncContextManager[HttpSac]]


class View:
    """One stay in front of a session, over as many connections as it takes."""

    def __init__(self, opener: Opener, session: str, wish: Wish) -> None:
        self._opener = opener
        self._session = session
        self._wish = wish
        self._modes = Modes()
        self._keyboard = Keyboard(wish.keys)
        self._history = History(0)
        self._offset: int | None = None
        self._lost_at: float | None = None
        self._tries = 0
        self._terminal: Terminal | None = None
        self._sent = 0
        self._received = 0
        self._left: Left | None = None
        self._scope = anyio.CancelScope()
        self._taking: anyio.Event | None = None

    async def run(self) -> Left:
        """Until the process ends or the user leaves; raises `UnavailableError` when the server stays away."""
        errors: list[SacError] = []
        with rawtty.raw():
            try:
                async with anyio.create_task_group() as tasks:
                    self._scope = tasks.cancel_scope
                    tasks.start_soon(self._type)
                    tasks.start_soon(self._obey_signals)
                    try:
                        await self._stay()
                    except SacError as error:  # not raised here: the task group would wrap it
                        errors.append(error)
                    except OSError:  # there is no terminal any more to show it in
                        self._leave(Left(status=ENDING[signal.SIGHUP]))
                    tasks.cancel_scope.cancel()
            finally:
                with anyio.move_on_after(1, shield=True), suppress(OSError):
                    await write(STDOUT, self._modes.undo())
        if errors:
            raise errors[0]
        return self._left or Left()

    def _leave(self, left: Left) -> None:
        self._left = self._left or left
        self._scope.cancel()

    async def _stay(self) -> None:
        while self._left is None:
            try:
                async with self._opener() as sac:
                    async with sac.sessions.attach(self._session, since=self._offset, mode=self._wish.mode) as terminal:
                        await self._arrive(terminal)
                        await self._show(terminal)
            except (LostError, UnavailableError) as error:
                if self._offset is None:
                    raise
                await self._pause(error)
            finally:
                self._terminal = None

    async def _pause(self, error: SacError) -> None:
        """Wait before trying again; raises ``error`` when the server has been away for too long."""
        now = time.monotonic()
        if self._lost_at is None:
            self._lost_at, self._tries = now, 0
            await self._say_lost(error)
        if now - self._lost_at > PATIENCE:
            raise error
        await anyio.sleep(min(0.1 * 2**self._tries, LONGEST_PAUSE) * random.uniform(0.5, 1.5))
        self._tries = min(self._tries + 1, 10)

    async def _arrive(self, terminal: Terminal) -> None:
        self._sent = self._received = 0
        self._terminal = terminal
        if self._lost_at is not None:
            self._lost_at = None
            await self._say("back")
            await self._redraw()
            return
        self._offset = terminal.offset
        self._history = History(terminal.end)
        if terminal.role == "control":
            await self._resize()
        elif self._wish.take:
            self._taking = anyio.Event()
            await terminal.take()
        elif self._wish.mode is None:
            await self._say("watching only: somebody else types here; attach with --take to take over")

    async def _show(self, terminal: Terminal) -> None:
        async for event in terminal:
            await self._tell(event)
            self._offset = terminal.offset

    async def _tell(self, event: TerminalEvent) -> None:
        match event:
            case Output(offset, data):
                shown = self._history.pass_on(offset, data)
                self._modes.see(shown)
                await write(STDOUT, shown)
            case Gap(start, end):
                await self._say(f"{end - start} bytes of output are gone")
            case RoleChanged(role=role):
                await self._changed_role(role)
            case Input(received):
                self._received = received
            case Exited(code, signal_name, reason):
                self._leave(Left(Exit(code, signal_name, reason)))
            case Failure(message=message):
                await self._say(message)

    async def _changed_role(self, role: Role) -> None:
        if role == "control":
            if self._taking is not None:
                self._taking.set()
            await self._resize()
        else:
            await self._say("somebody else took over: watching only")

    async def _resize(self) -> None:
        if self._terminal is None or self._terminal.role != "control":
            return
        here = rawtty.size()
        await self._attempt(self._terminal.resize(here.cols, here.rows))

    async def _redraw(self) -> None:
        """A change of size and back makes programs draw over what was said here."""
        if self._terminal is not None and self._terminal.role == "control":
            here = rawtty.size()
            await self._attempt(self._terminal.resize(here.cols, max(1, here.rows - 1)))
            await self._resize()

    async def _type(self) -> None:
        while (typed := await self._keyboard.read()) is not None:
            if typed.detach:
                return self._leave(Left())
            await self._send(typed.data)
        return self._leave(Left(status=ENDING[signal.SIGHUP]))

    async def _send(self, data: bytes) -> None:
        terminal = self._terminal
        if terminal is None and b"\x03" in data:  # Ctrl-C while the server is away
            self._leave(Left(status=130))
        if self._taking is not None:  # what is typed right after taking over is meant for the session
            with anyio.move_on_after(_TAKING):
                await self._taking.wait()
        if terminal is None or terminal.role != "control" or not data:
            return
        self._sent += len(data)
        await self._attempt(terminal.write(data))

    async def _attempt(self, sending: Awaitable[None]) -> None:
        """Send; a loss is told by reading, and who lost control learns it there too."""
        try:
            await sending
        except (LostError, UnavailableError, ForbiddenError):
            return

    async def _obey_signals(self) -> None:
        with anyio.open_signal_receiver(signal.SIGWINCH, *ENDING) as signals:
            async for number in signals:
                if number == signal.SIGWINCH:
                    await self._resize()
                else:
                    self._leave(Left(status=ENDING[number]))

    async def _say_lost(self, error: SacError) -> None:
        unread = self._sent - self._received
        typed = f"; up to {unread} bytes that you typed may not have arrived" if unread > 0 else ""
        await self._say(f"{error.message}; waiting for the server to come back (Ctrl-C leaves){typed}")

    async def _say(self, text: str) -> None:
        await write(STDOUT, f"\r\n\x1b[0;7m[sac: {text}]\x1b[0m\r\n".encode())
