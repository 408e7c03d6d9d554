"""`sac open`: a link to a port of an agent."""

from __future__ import annotations

import webbrowser

from sac_core.cli.arguments import HERE, Common, Switch
from sac_core.cli.connecting import connected
from sac_core.errors import InvalidError
from sac_core.models.agent import Agent


async def open(agent: str, port: str | None = None, /, *, browser: Switch = False, common: Common = HERE) -> int:
    """Print a link to a port of an agent; it signs a browser in there once, within ten minutes.

    Parameters
    ----------
    agent
        Its name.
    port
        The port's number or name; not needed when the agent declares one only.
    browser
        Open the link in the browser.
    """
    async with connected(common) as sac:
        known = await sac.agents.get(agent)
        link = await sac.port_link(agent, _number(known, port))
    print(link)
    if browser:
        webbrowser.open(link)
    return 0


def _number(agent: Agent, port: str | None) -> int:
    ports = agent.spec.ports
    if port is None and len(ports) == 1:
        return ports[0].port
    if port is not None and port.isdecimal():
        return int(port)
    found = [each.port for each in ports if each.name == port]
    if not found:
        known = ", ".join(f"{each.port} ({each.name})" for each in ports) or "none"
        said = "say which port" if port is None else f"there is no port {port!r}"
        raise InvalidError(said, field="PORT", reason="Usage", hint=f"agent {agent.metadata.name!r} declares {known}")
    return found[0]
