"""`sac restart`."""

from __future__ import annotations

from sac_core.cli.arguments import HERE, Common, Switch
from sac_core.cli.connecting import connected
from sac_core.cli.waiting import asked_line, reached_line, wait_for


async def restart(agent: str, /, *more: str, wait: Switch = False, common: Common = HERE) -> int:
    """Replace the bodies of agents; their sessions end.

    Parameters
    ----------
    agent
        Its name.
    more
        Names of others.
    wait
        Wait until they run again.
    """
    async with connected(common) as sac:
        for name in (agent, *more):
            await sac.agents.restart(name)
            if not wait:
                print(asked_line(name, "restarting"))
        for name in (agent, *more) if wait else ():
            print(reached_line(await wait_for(sac.agents, name, "Running")))
    return 0
