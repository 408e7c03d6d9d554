"""`sac attach`: this terminal in front of a session."""

from __future__ import annotations

import sys
from contextlib import suppress

from sac_core.cli import keys, rawtty
from sac_core.cli.arguments import HERE, Common, Switch
from sac_core.cli.connecting import connected
from sac_core.cli.stay import Left, Wish
from sac_core.cli.viewing import View
from sac_core.client.surface import HttpSac
from sac_core.errors import InvalidError, NotFoundError
from sac_core.models.session import Session


async def attach(
    name: str,
    /,
    *,
    view: Switch = False,
    take: Switch = False,
    detach_keys: str = keys.DEFAULT,
    common: Common = HERE,
) -> int:
    """Attach this terminal to a session, or to an agent's newest one; one is opened if there is none.

    The exit status is that of the process. Type ctrl-] and then d to leave; the session goes on.

    Parameters
    ----------
    name
        An agent or a session.
    view
        Only watch.
    take
        Take over from whoever types there.
    detach_keys
        Keys that leave it, for example ctrl-p,ctrl-q; empty for none.
    """
    if view and take:
        raise InvalidError("watching and taking over exclude each other", field="--view", reason="Usage")
    wish = Wish("view" if view else None, take, keys.parse_keys(detach_keys))
    require_terminal()
    async with connected(common) as sac:
        session = await _session(sac, name)
    return (await stay(common, session.metadata.name, wish)).code


def require_terminal() -> None:
    """Raise `InvalidError` where there is no terminal to show one in."""
    if not rawtty.is_terminal():
        raise InvalidError(
            "standard input and output must be a terminal",
            reason="Usage",
            hint="without one, use `sac exec AGENT -- CMD`, or `sac run --detach`",
        )


async def stay(common: Common, session: str, wish: Wish) -> Left:
    """Show a session until it ends or is left, and tell which it was."""
    left = await View(lambda: connected(common, start=False), session, wish).run()
    with suppress(OSError):  # a terminal that hung up
        print(f"\n{_told(left, session)}" if left.exit is None else _told(left, session), file=sys.stderr, flush=True)
    return left


async def _session(sac: HttpSac, name: str) -> Session:
    try:
        return await sac.sessions.get(name)
    except NotFoundError:
        pass
    try:
        await sac.agents.get(name)
    except NotFoundError:
        raise NotFoundError(f"there is neither an agent nor a session {name!r}", hint="see `sac get agents`") from None
    page = await sac.sessions.list(field_selector=f"spec.agent={name}")
    alive = [session for session in page.items if session.status.phase in ("Pending", "Running")]
    if alive:
        return max(alive, key=lambda session: str(session.metadata.creation_timestamp))
    return await sac.sessions.create(name, tty=rawtty.size())


def _told(left: Left, session: str) -> str:
    if left.exit is None:
        return f"[detached; come back: sac attach {session}]"
    if left.exit.code is not None:
        return f"[ended with {left.exit.code}]"
    return f"[ended: {left.exit.signal or left.exit.reason or 'nothing is known of how'}]"
