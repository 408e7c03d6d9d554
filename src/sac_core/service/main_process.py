"""The main process of a body: what the agent is for, if it is for more than waiting."""

from __future__ import annotations

from sac_core.models.agent import Agent
from sac_core.models.launch import Launch
from sac_core.models.process import Command, Exit
from sac_core.service.bodies import MAIN, Body
from sac_core.service.opener import open_in
from sac_core.service.secret_delivery import environment
from sac_core.service.services import Services


async def keep_main(services: Services, agent: Agent, body: Body, launch: Launch, *, restart: bool) -> Exit | None:
    """Start the main process when there is none; how it ended, when it has and is not to be started again now."""
    process = await body.find(MAIN)
    if process is not None:
        known = await body.look(MAIN)
        exit = known.exit if known is not None else None
        if exit is None or not restart:
            return exit
        await process.aclose()
    template, env = launch.template, await environment(services, agent, launch, body)
    command = Command(argv=template.command or (), env=env, cwd=template.cwd, stdin=False)
    await open_in(body, MAIN, command)
    return None
