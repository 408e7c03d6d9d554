"""`sac start`."""

from __future__ import annotations

from sac_core.cli.arguments import HERE, Common, Switch
from sac_core.cli.connecting import connected
from sac_core.cli.waiting import asked_line, reached_line, wait_for


async def start(agent: str, /, *more: str, wait: Switch = False, common: Common = HERE) -> int:
    """Start stopped agents.

    Parameters
    ----------
    agent
        Its name.
    more
        Names of others.
    wait
        Wait until they run.
    """
    async with connected(common) as sac:
        for name in (agent, *more):
            await sac.agents.start(name)
            if not wait:
                print(asked_line(name, "starting"))
        for name in (agent, *more) if wait else ():
            print(reached_line(await wait_for(sac.agents, name, "Running")))
    return 0
