"""`sac exec`: a command with its streams and its exit status."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import anyio
from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common, Switch, Tail
from sac_core.cli.connecting import connected
from sac_core.cli.streams import STDERR, STDIN, STDOUT, read, write
from sac_core.contracts.sac import Exec
from sac_core.errors import InvalidError, LostError, SacError

FORWARDED = {signal.SIGINT: "INT", signal.SIGTERM: "TERM", signal.SIGHUP: "HUP", signal.SIGQUIT: "QUIT"}
GIVE_UP_AFTER = 3
"""So many Ctrl-C end the command, whatever it makes of the signals."""


async def exec(
    agent: str,
    /,
    *,
    interactive: Annotated[Switch, Parameter(alias="-i")] = False,
    cwd: str | None = None,
    env: Annotated[tuple[str, ...], Parameter(alias="-e", negative=())] = (),
    command: Tail = (),
    common: Common = HERE,
) -> int:
    """Run a command in an agent: its output and errors apart, its exit status ours, signals passed on.

    Parameters
    ----------
    agent
        Its name.
    interactive
        Pass on input from this terminal too; piped input is always passed on.
    cwd
        Folder to run in.
    env
        A variable for it, NAME=VALUE; may be repeated.
    """
    if not command:
        raise InvalidError("say what to run after --", field="CMD", reason="Usage", hint="sac exec a1 -- ls -l")
    stdin = interactive or not os.isatty(STDIN)
    async with connected(common) as sac:
        async with sac.open_exec(agent, command, env=_environment(env), cwd=cwd, stdin=stdin) as running:
            return await _attend(running, stdin=stdin)


def _environment(given: tuple[str, ...]) -> dict[str, str]:
    wrong = next((item for item in given if "=" not in item), None)
    if wrong is not None:
        raise InvalidError(f"{wrong!r} is no variable", field="--env", reason="Usage", hint="write NAME=VALUE")
    return dict(item.split("=", 1) for item in given)


async def _attend(running: Exec, *, stdin: bool) -> int:
    results: list[int | SacError | BrokenPipeError] = []
    async with anyio.create_task_group() as tasks:
        if stdin:
            tasks.start_soon(_feed, running)
        tasks.start_soon(_forward_signals, running, tasks.cancel_scope)
        try:
            results.append(await _show(running))
        except (SacError, BrokenPipeError) as error:  # not raised here: the task group would wrap it
            results.append(error)
        tasks.cancel_scope.cancel()
    if not results:
        return 130
    if isinstance(results[0], int):
        return results[0]
    raise results[0]


async def _show(running: Exec) -> int:
    async for chunk in running.output():
        await write(STDERR if chunk.stream == "stderr" else STDOUT, chunk.data)
    exit = await running.wait()
    if exit.code is None and exit.signal is None:
        print(f"sac: nothing is known of its end ({exit.reason or 'Lost'})", file=sys.stderr)
    return exit.status


async def _feed(running: Exec) -> None:
    try:
        while data := await read(STDIN):
            await running.write(data)
        await running.eof()
    except LostError:  # it ended before it read all; its exit is on the way
        return


async def _forward_signals(running: Exec, scope: anyio.CancelScope) -> None:
    interrupts = 0
    with anyio.open_signal_receiver(*FORWARDED) as signals:
        async for number in signals:
            interrupts += number == signal.SIGINT
            if interrupts >= GIVE_UP_AFTER:
                scope.cancel()
            try:
                await running.signal(FORWARDED[number])
            except LostError:
                return
