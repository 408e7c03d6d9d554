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
from sac_core.errors import InvalidError


async def delete(
    *names: str, no_wait: Annotated[Switch, Parameter(name="--no-wait")] = False, common: Common = HERE
) -> int:
    """Delete agents with all they made, or things of another kind: `sac delete session NAME`.

    Parameters
    ----------
    names
        Their names, after a kind if they are no agents.
    no_wait
        Return at once, while they are being removed.
    """
    async with connected(common) as sac:
        kind, chosen = _chosen(sac, names)
        things = sac.resources(kind.plural)
        for name in chosen:
            await things.delete(name)
        for name in () if no_wait else chosen:
            await wait_gone(sac, kind, name)
            print(f"{kind.singular}/{name} deleted")
    return 0


def _chosen(sac: HttpSac, names: tuple[str, ...]) -> tuple[RemoteKind, tuple[str, ...]]:
    first, *rest = names or ("",)
    if "/" in first:  # agent/a1, as `get -o name` prints it
        kind = find_kind(sac.kinds, first.partition("/")[0])
        return kind or AGENT_KIND, tuple(name.rpartition("/")[2] for name in names)
    kind = find_kind(sac.kinds, first) if rest else None
    chosen = tuple(rest) if kind else names
    if not chosen:
        raise InvalidError("say what to delete", field="NAME", reason="Usage", hint="for example: sac delete a1")
    return kind or AGENT_KIND, chosen
