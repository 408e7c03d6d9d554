"""`sac get`: lists, and single things."""

from __future__ import annotations

from contextlib import aclosing
from typing import Annotated, Any

from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.connecting import connected
from sac_core.cli.kinds import kind_named
from sac_core.cli.tables import Format, aligned, cell, dumped, table
from sac_core.client.kinds import RemoteKind
from sac_core.client.surface import HttpSac
from sac_core.errors import InvalidError
from sac_core.models.change import Change


async def get(
    kind: str,
    name: str | None = None,
    /,
    *,
    output: Annotated[Format, Parameter(alias="-o")] = "table",
    selector: Annotated[str, Parameter(alias="-l")] = "",
    watch: Annotated[bool, Parameter(alias="-w", negative=())] = False,
    common: Common = HERE,
) -> int:
    """List things of a kind, or show one.

    Parameters
    ----------
    kind
        Agents, sessions, or another kind of the server.
    name
        Show this one only.
    output
        How: a table, the whole documents, or the names.
    selector
        Only things with these labels, as in Kubernetes: a=b,c!=d,e in (f,g).
    watch
        Go on with every change.
    """
    async with connected(common) as sac:
        found = kind_named(sac.kinds, kind)
        documents, version = await _read(sac, found, name, selector)
        show(found, documents, output, one=name is not None)
        if watch:
            await _follow(sac, found, name, selector, output, version)
    return 0


async def _read(sac: HttpSac, kind: RemoteKind, name: str | None, selector: str) -> tuple[list[dict[str, Any]], int]:
    if name is not None and selector:
        raise InvalidError("a name and a selector exclude each other", field="selector", hint="leave one out")
    things = sac.resources(kind.plural)
    if name is not None:
        await things.get(name)  # says that it is not there
    page = await things.list(label_selector=selector, field_selector=f"metadata.name={name}" if name else "")
    return [thing.to_wire() for thing in page.items], page.version


def show(kind: RemoteKind, documents: list[dict[str, Any]], output: Format, *, one: bool) -> None:
    """Print things of a kind; ``one`` shows a single document instead of a list."""
    if output == "table":
        print("\n".join(table(kind.columns, documents)) if documents else f"No {kind.plural}.")
    elif output == "name":
        for document in documents:
            print(f"{kind.singular}/{document['metadata']['name']}")
    else:
        whole = {"apiVersion": "sac/v1", "kind": f"{kind.kind}List", "items": documents}
        print(dumped(documents[0] if one else whole, output))


async def _follow(
    sac: HttpSac, kind: RemoteKind, name: str | None, selector: str, output: Format, version: int
) -> None:
    async with aclosing(sac.watch(kinds=(kind.kind,), label_selector=selector, since=version)) as changes:
        async for change in changes:
            if isinstance(change, Change) and name in (None, change.object.metadata.name):
                print(_line(kind, change, output), flush=True)


def _line(kind: RemoteKind, change: Change[Any], output: Format) -> str:
    document = change.object.to_wire()
    if output == "name":
        return f"{kind.singular}/{document['metadata']['name']}"
    if output != "table":
        return dumped({"type": change.verb, "object": document}, output)
    cells = [cell(document, column) for column in kind.columns]
    return aligned([[*cells, *(["(deleted)"] if change.verb == "DELETED" else [])]])[0]
