"""`sac targets`: the places where agents can run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import Parameter

from sac_core.cli.arguments import HERE, Common
from sac_core.cli.commands.delete import delete
from sac_core.cli.commands.doctor import finding_line
from sac_core.cli.commands.get import get
from sac_core.cli.connecting import connected
from sac_core.cli.options import label_options, merged_options
from sac_core.cli.tables import Format
from sac_core.cli.targets import described, settled, settled_line
from sac_core.client.surface import HttpSac
from sac_core.errors import InvalidError

Verb = Literal["create", "list", "get", "describe", "update", "delete", "test", "set-default"]
Repeated = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]


async def targets(
    verb: Verb,
    name: str | None = None,
    /,
    *,
    executor: str | None = None,
    setting: Annotated[tuple[str, ...], Parameter(name="--set", negative=(), show_default=False)] = (),
    set_file: Repeated = (),
    label: Repeated = (),
    schedulable: bool | None = None,
    output: Annotated[Format, Parameter(alias="-o")] = "table",
    common: Common = HERE,
) -> int:
    """Declare places where agents can run: Docker hosts, clusters, whatever an executor is opened for.

    Parameters
    ----------
    verb
        What to do. test asks what it can do and what is wrong; set-default sends new agents there.
    name
        The target; default is the one that each executor has by itself.
    executor
        The executor: of a new target, or whose default is meant.
    setting
        A setting of the executor, NAME=VALUE, or deeper NAME.PART=VALUE; lists are JSON; may be repeated.
    set_file
        A setting whose value is in a file, NAME=PATH: for secrets and certificates; may be repeated.
    label
        A label, NAME=VALUE; may be repeated.
    schedulable
        Whether it takes new agents.
    output
        How list and get show: a table, the whole documents, or the names.
    """
    if name is None and verb != "list":
        raise InvalidError("say which target", field="NAME", reason="Usage", hint=f"sac targets {verb} NAME")
    if name is None or verb == "get":
        return await get("targets", name, output=output, common=common)
    if verb == "delete":
        return await delete("target", name, common=common)
    spec: dict[str, Any] = {"settings": merged_options(setting, set_file)}
    spec |= {} if schedulable is None else {"schedulable": schedulable}
    document = {"metadata": {"name": name, "labels": label_options(label)}, "spec": spec}
    async with connected(common) as sac:
        if verb in ("create", "update"):
            return await _written(sac, document, executor, new=verb == "create")
        return await _ABOUT[verb](sac, name, executor)


async def _written(sac: HttpSac, document: dict[str, Any], executor: str | None, *, new: bool) -> int:
    """Write it, and say what came of it; exit status 1 when it cannot be used yet."""
    name = document["metadata"]["name"]
    if new and executor is None:
        raise InvalidError("say for which executor", field="--executor", reason="Usage", hint="see: sac plugins")
    if new:
        await sac.targets.create_from({**document, "spec": {"executor": executor, **document["spec"]}})
    else:
        await sac.targets.patch(name, document)
    target = await settled(sac, name)
    print(settled_line(target))
    return int(target.status.phase == "NotReady")


async def _described(sac: HttpSac, name: str, executor: str | None) -> int:
    print("\n".join(await described(sac, name)))
    return 0


async def _tested(sac: HttpSac, name: str, executor: str | None) -> int:
    probe = await sac.targets.test(name)
    print("\n".join(map(finding_line, probe.findings)) or "nothing is wrong")
    print(f"target/{name} is {'reachable' if probe.reachable else 'not reachable'}")
    return int(not probe.reachable)


async def _made_default(sac: HttpSac, name: str, executor: str | None) -> int:
    chosen = await sac.targets.set_default(name, executor=executor)
    print(f"new agents of {chosen.name} go to target {chosen.target}")
    return 0


_ABOUT = {"describe": _described, "test": _tested, "set-default": _made_default}
