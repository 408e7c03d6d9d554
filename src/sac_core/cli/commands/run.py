"""`sac run`: an agent and its terminal in one command."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any

import anyio
from cyclopts import Parameter

from sac_core.cli import keys, rawtty
from sac_core.cli.arguments import HERE, Common, Switch, Tail
from sac_core.cli.bodies import PLAIN, Body
from sac_core.cli.commands.attach import require_terminal, stay
from sac_core.cli.connecting import connected
from sac_core.cli.options import parse_options
from sac_core.cli.signals import ended_by_signals
from sac_core.cli.stay import Wish
from sac_core.cli.waiting import wait_for, wait_gone
from sac_core.cli.workspaces import NOTHING, Prepared
from sac_core.client.kinds import AGENT_KIND
from sac_core.client.surface import HttpSac
from sac_core.errors import InvalidError, NotFoundError
from sac_core.models.recording import RecordingPolicy


async def run(
    runtime: str,
    folder: Path | None = None,
    /,
    *,
    name: str | None = None,
    executor: str | None = None,
    option: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    prepared: Prepared = NOTHING,
    body: Body = PLAIN,
    main: Switch = False,
    recording: RecordingPolicy | None = None,
    rm: Switch = False,
    detach: Switch = False,
    detach_keys: str = keys.DEFAULT,
    command: Tail = (),
    common: Common = HERE,
) -> int:
    """Create an agent, wait until it runs, and open its terminal; what follows -- runs in it instead of a shell.

    With --main it is the agent's main process instead: it runs without a terminal, and is started again when it ends.

    Parameters
    ----------
    runtime
        The kind of agent, for example shell.
    folder
        Where it works; without it, a folder of SAC's own.
    name
        Its name; without it, one is made.
    executor
        What runs it, or EXECUTOR/TARGET for one of its targets; without it, the server's default.
    option
        An option of its runtime, NAME=VALUE, or deeper NAME.PART=VALUE; lists are JSON; may be repeated.
    main
        What follows -- is the agent's main process, kept running; `sac logs` shows its output.
    recording
        How its terminal is recorded, if more than the server's policy is wanted.
    rm
        Delete the agent when its terminal has ended, hung up, or this command was asked to end.
    detach
        Open the terminal and leave it running; prints agent and session.
    detach_keys
        Keys that leave the terminal, for example ctrl-p,ctrl-q; empty for none.
    """
    if rm and detach:
        raise InvalidError("--rm would delete what --detach leaves running", field="--rm", reason="Usage")
    if main and not command:
        raise InvalidError("there is no main process", field="--main", reason="Usage", hint="name it behind --")
    wish = Wish(None, False, keys.parse_keys(detach_keys))
    if not detach:
        require_terminal()
    chosen = name or f"{runtime}-{secrets.token_hex(3)}"
    spec = _spec(runtime, folder, executor, option, prepared) | body.spec()
    spec |= {"command": list(command)} if main else {}
    async with ended_by_signals() as ended, connected(common) as sac:
        session = await _open(sac, chosen, spec, () if main else command, recording, rm=rm)
    if ended.status:
        return ended.status
    if detach:
        print(f"agent/{chosen}\nsession/{session}")
        return 0
    left = await stay(common, session, wish)
    if rm and (left.exit is not None or left.status):  # who detached wants it to go on
        async with connected(common) as sac:
            await _remove(sac, chosen)
    return left.code


def _spec(
    runtime: str, folder: Path | None, executor: str | None, option: tuple[str, ...], prepared: Prepared
) -> dict[str, Any]:
    spec = prepared.spec()
    given = {
        "executor": _executor(executor),
        "workspace": {**spec.get("workspace", {}), **_workspace(folder)},
        "runtimeOptions": parse_options(option),
    }
    return {"runtime": runtime, **spec, **{name: value for name, value in given.items() if value}}


def _workspace(folder: Path | None) -> dict[str, str]:
    if folder is None:
        return {}
    if not folder.is_dir():
        raise InvalidError(f"{folder} is no folder", field="FOLDER", hint="make it first, or leave it out")
    return {"folder": str(folder.resolve())}


def _executor(given: str | None) -> str | dict[str, str] | None:
    name, slash, target = (given or "").partition("/")
    return {"name": name, "target": target} if slash else given


async def _open(
    sac: HttpSac,
    name: str,
    spec: dict[str, Any],
    command: tuple[str, ...],
    recording: RecordingPolicy | None,
    *,
    rm: bool,
) -> str:
    """Agent and session; with ``rm`` a failure leaves no agent behind."""
    await sac.agents.create(name, spec)
    try:
        await wait_for(sac.agents, name, "Running")
        session = await sac.sessions.create(name, command=command or None, tty=rawtty.size(), recording=recording)
    except BaseException:
        if rm:
            await _remove(sac, name)
        raise
    return session.metadata.name


async def _remove(sac: HttpSac, name: str) -> None:
    with anyio.CancelScope(shield=True):
        try:
            await sac.agents.delete(name)
            await wait_gone(sac, AGENT_KIND, name)
        except NotFoundError:
            return
