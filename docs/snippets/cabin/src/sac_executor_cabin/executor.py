"""The executor ``cabin``: a body is a folder with a holder, which is the parent of all that runs in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.lowlevel
from anyio import to_thread
from anyio.abc import ByteStream
from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.errors import ConflictError, LaunchError, LostError, NotReadyError, UnsupportedError
from sac_core.held.local import connect_holder
from sac_core.models.base import parse
from sac_core.models.body import Finding, Key, Observed, Probe, body_labels
from sac_core.models.launch import Egress, Launch, Resources, Secrets

from sac_executor_cabin.body import Body, Record
from sac_executor_cabin.settings import CabinOptions, CabinSettings

ADVICE = Finding(level="warning", check="isolation", message="cabins have thin walls", advice="trust those inside")


class CabinExecutor(Executor):
    """Keeps nothing in memory: what is there is read from the folders, each time."""

    def __init__(self, settings: CabinSettings, context: PluginContext) -> None:
        self._owner = context.owner
        self._now = context.now
        self._root = (settings.folder or context.folder) / context.owner
        (self._root / "bodies").mkdir(parents=True, exist_ok=True)

    async def probe(self) -> Probe:
        return Probe(reachable=True, isolated=False, capabilities=("holder", "replace"), findings=(ADVICE,))

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        options = check(launch)
        body = Body(self._root, key.uid)
        record = self._follow(body, launch.generation)
        if record is None or (record.state != "deleting" and not body.alive()):
            return await self._start(key, body, launch, options)
        if record.state == "running" and record.hash != launch.hash:
            record = record.model_copy(update={"state": "ending"})
            body.commit(record)
        if record.state == "ending":
            body.ask_to_end(grace=5.0)
        return self._see(key, body)

    async def observe(self, key: Key) -> Observed:
        return self._see(key, Body(self._root, key.uid))

    async def bodies(self) -> AsyncIterator[Observed]:
        for path in sorted((self._root / "bodies").iterdir()):
            await anyio.lowlevel.checkpoint()
            body = Body(self._root, path.name)
            record = body.record()
            if record is not None:
                yield self._see(record.key, body)

    async def delete(self, key: Key, *, generation: int, grace: float, purge: bool) -> Observed:
        body = Body(self._root, key.uid)
        record = self._follow(body, generation)
        if record is None:
            return self._see(key, body)
        body.commit(record.model_copy(update={"state": "deleting"}))
        if body.alive():
            body.ask_to_end(grace)
        elif not await to_thread.run_sync(body.kill_strays):
            await to_thread.run_sync(body.remove, purge)
        return self._see(key, body)

    async def open_holder(self, key: Key) -> ByteStream | None:
        body = Body(self._root, key.uid)
        if body.record() is None or not body.alive():
            raise LostError("there is no cabin, or nobody in it")
        try:
            return await connect_holder(body.path)
        except OSError:
            raise NotReadyError("the cabin is being built") from None

    def _follow(self, body: Body, generation: int) -> Record | None:
        """The record, with the generation that is asked for; an older one is refused."""
        record = body.record()
        if record is None or record.generation == generation:
            return record
        if generation < record.generation:
            raise ConflictError(f"generation {generation} is older than the body's, {record.generation}")
        labels = body_labels(self._owner, record.key, generation=generation, hash=record.hash)
        record = record.model_copy(update={"generation": generation, "labels": labels})
        body.commit(record)
        return record

    async def _start(self, key: Key, body: Body, launch: Launch, options: CabinOptions) -> Observed:
        if not await to_thread.run_sync(body.kill_strays):
            labels = body_labels(self._owner, key, generation=launch.generation, hash=launch.hash)
            record = Record(key=key, labels=labels, generation=launch.generation, hash=launch.hash)
            body.start(record, launch.template.cwd, options.nice)
        return self._see(key, body)

    def _see(self, key: Key, body: Body) -> Observed:
        record = body.record()
        if record is None:
            return Observed(key=key, phase="absent", observed_at=self._now())
        seen = Observed(
            key=key, phase="terminating", hash=record.hash, generation=record.generation, observed_at=self._now()
        )
        return seen if record.state == "deleting" else seen.model_copy(update=look(body, record))


def look(body: Body, record: Record) -> dict[str, object]:
    """What can be seen of a body that shall not be deleted."""
    if record.state == "ending":
        return {} if body.alive() else {"phase": "exited"}
    if not body.alive():
        return {"phase": "failed", "reason": "Lost", "message": "the cabin's holder was killed"}
    return {"phase": "running", "holder": True} if body.holder() else {"phase": "pending"}


def check(launch: Launch) -> CabinOptions:
    """Refuse what a cabin cannot honour, by the name of its field; give back its options."""
    template = launch.template
    wishes = {
        "spec.image": template.image is not None,
        "spec.profile": template.profile != "dev",
        "spec.ports": bool(template.ports),
        "spec.egress": template.egress != Egress(),
        "spec.mounts": bool(template.mounts),
        "spec.resources": template.resources != Resources(),
    }
    for field, wished in wishes.items():
        if wished:
            raise UnsupportedError("cabins have none", field=field, hint="leave it out")
    if template.cwd is not None and not Path(template.cwd).is_dir():
        raise LaunchError(f"there is no folder {template.cwd}", reason="InvalidSpec", field="spec.workspace.folder")
    return parse(CabinOptions, template.options, field="spec.options")


@asynccontextmanager
async def open_cabin(settings: CabinSettings, context: PluginContext) -> AsyncIterator[Executor]:
    """Open it. Cabins stand when it is left."""
    yield CabinExecutor(settings, context)
