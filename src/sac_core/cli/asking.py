"""What `sac ask` shows of a conversation: the answer on standard output, all else on standard error."""

from __future__ import annotations

import json

import anyio

from sac_core.cli.streams import STDERR, STDIN, STDOUT, read, write
from sac_core.models.conversation import Decision, Event, Failure, Permission, Started, Text, ToolResult, ToolUse
from sac_core.wire.converse import plain_event

_LONGEST = 300
"""Characters that are shown of what a tool is given."""


class Teller:
    """Shows events; ``asks`` says whether somebody sits here who can answer, ``yes`` that all is allowed."""

    def __init__(self, *, as_json: bool, yes: bool, asks: bool) -> None:
        self.conversation = ""
        self._json = as_json
        self._yes = yes
        self._asks = asks
        self._open_line = False
        self._question: anyio.CancelScope | None = None

    async def tell(self, event: Event) -> None:
        """Show one."""
        if isinstance(event, Started):
            self.conversation = event.conversation
        if self._json:
            await write(STDOUT, json.dumps(plain_event(event), ensure_ascii=False).encode() + b"\n")
        elif isinstance(event, Text):
            self._open_line = not event.text.endswith("\n")
            await write(STDOUT, _shown(event.text).encode())
        elif isinstance(event, ToolUse):
            await self._note(f"{event.name} {_given(event.input)}")
        elif isinstance(event, ToolResult) and event.failed:
            await self._note(f"failed: {event.text[:_LONGEST]}")
        elif isinstance(event, Failure):
            await self._note(f"{event.reason}: {event.message}")

    async def decide(self, asked: Permission) -> Decision | None:
        """An answer; None when the question was withdrawn."""
        if self._yes:
            return Decision(allow=True)
        if not self._asks:
            await self._note(f"{asked.tool} is refused: nobody is here to allow it (--yes allows all)")
            return Decision(allow=False, message="Nobody is there to allow this.")
        await self._note(f"may it use {asked.tool} {_given(asked.input)}?", end=" [y/N] ")
        with anyio.CancelScope() as self._question:
            said = await read(STDIN)
            return Decision(allow=said.strip().lower() in (b"y", b"yes"))
        return None

    def withdraw(self) -> None:
        """Ask no more."""
        if self._question is not None:
            self._question.cancel()

    async def end(self) -> None:
        """Say how to go on."""
        if self.conversation and not self._json:
            await self._note(f"go on with: --resume {self.conversation}")

    async def _note(self, text: str, end: str = "\n") -> None:
        if self._open_line:
            await write(STDOUT, b"\n")
            self._open_line = False
        await write(STDERR, f"sac: {_shown(text)}{end}".encode())


def _given(given: dict[str, object]) -> str:
    text = json.dumps(given, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _shown(text: str) -> str:
    """Without the signs that would command this terminal."""
    return "".join(sign for sign in text if sign in "\n\t" or sign.isprintable()).encode(errors="replace").decode()
