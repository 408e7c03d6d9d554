"""`sac delete`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common, Switch
from sac_core.cli.connecting import connected
from sac_core.cli.kinds import find_kind
from sac_core.cli.waiting import wait_gone
from sac_core.client.kinds import AGENT_KIND, RemoteKind
from sac_core.client.surface import HttpSac


async def delete(
    name: str, /, *more: str, no_wait: Annotated[Switch, Parameter(name="--no-wait")] = False, common: Common = HERE
) -> int:
    """Delete agents with all they made, or things of another kind: `sac delete session NAME`.

    Parameters
    ----------
    name
        An agent; or a kind, followed by names.
    more
        Further names.
    no_wait
        Return at once, while they are being removed.
    """
    async with connected(common) as sac:
        kind, chosen = _chosen(sac, (name, *more))
        things = sac.resources(kind.plural)
        for each in chosen:
            await things.delete(each)
        for each in () if no_wait else chosen:
            await wait_gone(sac, kind, each)
            print(f"{kind.singular}/{each} deleted")
    return 0


def _chosen(sac: HttpSac, names: tuple[str, ...]) -> tuple[RemoteKind, tuple[str, ...]]:
    first, *rest = names
    if "/" in first:  # agent/a1, as `get -o name` prints it
        kind = find_kind(sac.kinds, first.partition("/")[0])
        return kind or AGENT_KIND, tuple(name.rpartition("/")[2] for name in names)
    kind = find_kind(sac.kinds, first) if rest else None
    return kind or AGENT_KIND, tuple(rest) if kind else names
