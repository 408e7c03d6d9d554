"""`sac delete`."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common, Switch
from sac_core.cli.connecting import connected
from sac_core.cli.kinds import find_kind
from sac_core.cli.waiting import wait_gone
from sac_core.client.kinds import AGENT_KIND, RemoteKind
from sac_core.client.surface import HttpSac
from sac_core.contracts.sac import Resources
from sac_core.errors import InvalidError


async def delete(
    name: str,
    /,
    *more: str,
    keep_volumes: Annotated[Switch, Parameter(name="--keep-volumes")] = False,
    abandon: Annotated[Switch, Parameter(name="--abandon")] = False,
    no_wait: Annotated[Switch, Parameter(name="--no-wait")] = False,
    common: Common = HERE,
) -> int:
    """Delete agents with all they made, or things of another kind: `sac delete session NAME`.

    Parameters
    ----------
    name
        An agent; or a kind, followed by names.
    more
        Further names.
    keep_volumes
        Leave what an agent's executor keeps for it on a disk, and print where that is.
    abandon
        Delete an agent even if its executor does not answer. What it left there is removed if that ever answers again.
    no_wait
        Return at once, while they are being removed.
    """
    async with connected(common) as sac:
        kind, chosen = _chosen(sac, (name, *more))
        for flag, asked in (("--keep-volumes", keep_volumes), ("--abandon", abandon)):
            if asked and kind.kind != AGENT_KIND.kind:
                raise InvalidError(f"{kind.plural} have no {flag}", field=flag, hint="leave it out")
        things: Resources[Any] = sac.resources(kind.plural)
        for each in chosen:
            if keep_volumes or abandon:
                await sac.agents.delete(each, keep_volumes=keep_volumes, abandon=abandon)
            else:
                await things.delete(each)
        for each in () if no_wait else chosen:
            await wait_gone(sac, kind, each)
            print(f"{kind.singular}/{each} deleted{await _kept(sac, each) if keep_volumes else ''}")
    return 0


async def _kept(sac: HttpSac, name: str) -> str:
    """What the agent's executor said that it kept; the timeline is what is left of the agent."""
    items = (await sac.agents.timeline(name)).items
    return f"; {items[-1].details.get('kept', 'it had no volumes')}" if items else ""


def _chosen(sac: HttpSac, names: tuple[str, ...]) -> tuple[RemoteKind, tuple[str, ...]]:
    first, *rest = names
    if "/" in first:  # agent/a1, as `get -o name` prints it
        kind = find_kind(sac.kinds, first.partition("/")[0])
        return kind or AGENT_KIND, tuple(name.rpartition("/")[2] for name in names)
    kind = find_kind(sac.kinds, first) if rest else None
    return kind or AGENT_KIND, tuple(rest) if kind else names
