"""`sac logs`: the output of an agent's main process."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.connecting import connected
from sac_core.cli.streams import STDOUT, write


async def logs(
    agent: str,
    /,
    *,
    follow: Annotated[bool, Parameter(alias="-f", negative=())] = False,
    since: int = 0,
    common: Common = HERE,
) -> int:
    """Print the output of an agent's main process, byte for byte.

    Parameters
    ----------
    agent
        Its name.
    follow
        Go on until the process ends.
    since
        Offset of the first byte.
    """
    async with connected(common) as sac:
        async for chunk in sac.agents.logs(agent, follow=follow, since=since):
            await write(STDOUT, chunk.data)
    return 0
