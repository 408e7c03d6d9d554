"""`sac stop`."""

from __future__ import annotations

from sac_core.cli.arguments import HERE, Common, Switch
from sac_core.cli.connecting import connected
from sac_core.cli.waiting import asked_line, reached_line, wait_for


async def stop(agent: str, /, *more: str, wait: Switch = False, common: Common = HERE) -> int:
    """Stop agents and keep what they have.

    Parameters
    ----------
    agent
        Its name.
    more
        Names of others.
    wait
        Wait until they have stopped.
    """
    async with connected(common) as sac:
        for name in (agent, *more):
            await sac.agents.stop(name)
            if not wait:
                print(asked_line(name, "stopping"))
        for name in (agent, *more) if wait else ():
            print(reached_line(await wait_for(sac.agents, name, "Stopped")))
    return 0
