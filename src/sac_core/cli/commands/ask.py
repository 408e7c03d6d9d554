"""`sac ask`: one turn with an agent, without a terminal."""

from __future__ import annotations

import os
import signal
from typing import Annotated, Literal

import anyio
from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common, Switch
from sac_core.cli.asking import Teller
from sac_core.cli.connecting import connected
from sac_core.cli.streams import STDIN, read
from sac_core.contracts.conversation import Conversation
from sac_core.errors import InvalidError, LostError, SacError
from sac_core.models.conversation import Completed, Permission

_CODES = {"done": 0, "failed": 1, "cancelled": 130}


async def ask(
    agent: str,
    text: str | None = None,
    /,
    *,
    resume: str | None = None,
    yes: Annotated[Switch, Parameter(alias="-y")] = False,
    output: Annotated[Literal["text", "json"], Parameter(alias="-o")] = "text",
    common: Common = HERE,
) -> int:
    """Say something to an agent and print its answer; Ctrl-C cancels the turn, and what was said can be resumed.

    What it asks before it uses a tool is asked here, and refused where nobody can answer.

    Parameters
    ----------
    agent
        Its name.
    text
        What to say; without it, what is piped in.
    resume
        An earlier conversation: its end tells how it is called.
    yes
        Allow whatever it asks for.
    output
        text prints the answer, json every event as a line.
    """
    said = text if text is not None else await _piped()
    teller = Teller(as_json=output == "json", yes=yes, asks=text is not None and os.isatty(STDIN))
    async with connected(common) as sac:
        async with sac.agents.converse(agent, resume=resume) as conversation:
            return await _attend(conversation, said, teller)


async def _piped() -> str:
    if os.isatty(STDIN):
        raise InvalidError("there is nothing to say", field="TEXT", reason="Usage", hint='sac ask a1 "..."')
    parts = bytearray()
    while part := await read(STDIN):
        parts += part
    return parts.decode(errors="replace")


async def _attend(conversation: Conversation, said: str, teller: Teller) -> int:
    results: list[int | SacError | BrokenPipeError] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_obey_signals, conversation, teller, tasks.cancel_scope)
        try:
            results.append(await _turn(conversation, said, teller))
        except (SacError, BrokenPipeError) as error:  # not raised here: the task group would wrap it
            results.append(error)
        tasks.cancel_scope.cancel()
    if not results:
        return _CODES["cancelled"]
    if isinstance(results[0], int):
        return results[0]
    raise results[0]


async def _turn(conversation: Conversation, said: str, teller: Teller) -> int:
    code = _CODES["failed"]
    async for event in conversation.send(said):
        await teller.tell(event)
        if isinstance(event, Permission):
            decision = await teller.decide(event)
            if decision is not None:
                await conversation.answer(event.request, decision)
        elif isinstance(event, Completed):
            code = _CODES[event.outcome]
    await teller.end()
    return code


async def _obey_signals(conversation: Conversation, teller: Teller, scope: anyio.CancelScope) -> None:
    """The first one cancels the turn, a second one leaves it."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        cancelled = False
        async for _ in signals:
            if cancelled:
                scope.cancel()
                return
            cancelled = True
            teller.withdraw()
            try:
                await conversation.cancel()
            except LostError:
                return
