"""`sac recordings`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.commands.get import show
from sac_core.cli.connecting import connected
from sac_core.cli.tables import Format
from sac_core.client.kinds import RECORDING_KIND


async def recordings(
    agent: str | None = None,
    /,
    *,
    output: Annotated[Format, Parameter(alias="-o")] = "table",
    common: Common = HERE,
) -> int:
    """List recordings of sessions.

    Parameters
    ----------
    agent
        Only those of this agent, or of one of that name before it.
    output
        How: a table, the whole documents, or the names.
    """
    async with connected(common) as sac:
        page = await sac.recordings.list(field_selector=f"spec.agent={agent}" if agent else "")
    show(RECORDING_KIND, [recording.to_wire() for recording in page.items], output, one=False)
    return 0
