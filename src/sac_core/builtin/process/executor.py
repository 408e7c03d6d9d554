"""The process executor: every call looks at the body's folder, does what can be done now, and says what is there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
from anyio import to_thread
from anyio.abc import ByteStream, TaskGroup

from sac_core.builtin.process import host
from sac_core.builtin.process.dialing import Dialer, undeclared
from sac_core.builtin.process.folder import BodyFolder, BodyRecord, DamagedError, body_folders, private_folder
from sac_core.builtin.process.observing import absent, observed, removed
from sac_core.builtin.process.probing import probe
from sac_core.builtin.process.refusals import check_launch
from sac_core.builtin.process.secret_files import deliver
from sac_core.builtin.process.settings import ProcessSettings
from sac_core.builtin.process.starting import holder_program, start_holder
from sac_core.contracts.background import background
from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.errors import ConflictError, LostError, NotReadyError, UnavailableError
from sac_core.held.local import connect_holder
from sac_core.models.body import OWNER_LABEL, Key, Observed, Probe, body_labels
from sac_core.models.launch import Launch, Secrets

_REPLACE_GRACE = 5.0
_START_DEADLINE = 5.0
_PATIENCE = 6.0
"""Seconds beyond the grace after which a holder that has not ended is killed itself."""


class ProcessExecutor(Executor):
    """Bodies as holders of this machine, one folder each. Made by `open_process_executor`."""

    def __init__(
        self, settings: ProcessSettings, context: PluginContext, folder: Path, program: Path, tasks: TaskGroup
    ) -> None:
        self._settings = settings
        self._context = context
        self._tasks = tasks
        self._folder = folder
        self._bodies = folder / "bodies"
        self._trash = folder / "trash"
        self._program = program
        self._dialer = Dialer()

    async def probe(self) -> Probe:
        return probe(self._program, self._folder)

    async def observe(self, key: Key) -> Observed:
        folder, record = self._find(key)
        return self._observed(folder, record) if record else absent(key, self._context.now())

    async def bodies(self) -> AsyncIterator[Observed]:
        for folder in body_folders(self._bodies):
            await anyio.lowlevel.checkpoint()
            with suppress(DamagedError):
                record = self._own(folder.record())
                if record is not None:
                    yield self._observed(folder, record)

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        check_launch(launch)
        folder, record = self._find(key)
        if record is None:
            self._refuse_stranger(folder)
            return await self._start(key, folder, launch, secrets)
        self._check_generation(record, launch.generation)
        if record.state == "deleting":
            self._end(folder, record, _REPLACE_GRACE)  # who decided it may have been killed before it asked the holder
            return await self._go_on_deleting(key, folder, record)
        record = self._relabelled(key, folder, record, launch.generation)
        if not folder.alive():
            return await self._start(key, folder, launch, secrets)
        if record.state == "running" and record.hash == launch.hash:
            deliver(folder.secrets, secrets.files)
            return self._observed(folder, record)
        state = "ending" if record.state == "running" else record.state
        return self._end(folder, record.model_copy(update={"state": state}), _REPLACE_GRACE)

    async def stop(self, key: Key, *, generation: int, grace: float) -> Observed:
        folder, record = self._find(key)
        if record is None:
            return absent(key, self._context.now())
        self._check_generation(record, generation)
        if record.state == "deleting":
            return self._observed(folder, record)
        record = self._relabelled(key, folder, record, generation)
        observed = self._end(folder, record.model_copy(update={"state": "stopped"}), grace)
        if observed.phase == "stopped":
            folder.clear()
        return observed

    async def delete(self, key: Key, *, generation: int, grace: float, purge: bool) -> Observed:
        folder, record = self._find(key)
        if record is None:
            if self._own(folder.record("volume.json")) is None:
                return absent(key, self._context.now())
            if purge:
                self._discard(folder)
            return removed(key, folder, self._context.now())
        self._check_generation(record, generation)
        record = self._relabelled(key, folder, record, generation)
        record = record.model_copy(update={"state": "deleting", "purge": purge or record.purge})
        self._end(folder, record, grace)
        return await self._go_on_deleting(key, folder, record)

    async def open_holder(self, key: Key) -> ByteStream | None:
        folder, record = self._find(key)
        if record is None or not folder.alive():
            raise LostError("the body has no living holder")
        if folder.holder() is None:
            raise NotReadyError("the holder is starting")
        try:
            return await connect_holder(folder.path)
        except OSError:
            raise NotReadyError("the holder does not listen") from None

    async def dial(self, key: Key, port: int) -> ByteStream:
        folder, record = self._find(key)
        if record is None or record.state != "running" or not folder.alive():
            raise LostError("there is no running body")
        if port not in record.ports:
            raise undeclared(port)
        return await self._dialer.dial(folder, port)

    # what is there

    def _find(self, key: Key) -> tuple[BodyFolder, BodyRecord | None]:
        folder = BodyFolder(self._bodies, key.uid)
        return folder, self._own(folder.record())

    def _own(self, record: BodyRecord | None) -> BodyRecord | None:
        return record if record is not None and record.labels.get(OWNER_LABEL) == self._context.owner else None

    def _observed(self, folder: BodyFolder, record: BodyRecord) -> Observed:
        return observed(folder, record, self._context.now())

    def _refuse_stranger(self, folder: BodyFolder) -> None:
        if folder.record() is not None:
            raise ConflictError(f"the folder {folder.path} belongs to another installation of SAC")

    def _check_generation(self, record: BodyRecord, generation: int) -> None:
        if generation < record.generation:
            raise ConflictError(
                f"generation {generation} is older than the body's, {record.generation}", reason="OlderGeneration"
            )

    def _relabelled(self, key: Key, folder: BodyFolder, record: BodyRecord, generation: int) -> BodyRecord:
        """The body now follows this generation; its hash stays that of what runs."""
        if record.generation == generation:
            return record
        labels = body_labels(self._context.owner, key, generation=generation, hash=record.hash)
        record = record.model_copy(update={"generation": generation, "labels": labels})
        folder.commit(record)
        return record

    # starting

    async def _start(self, key: Key, folder: BodyFolder, launch: Launch, secrets: Secrets) -> Observed:
        """Start a holder, once nothing of an earlier one lives. From the commit to the start nothing is awaited."""
        lock = folder.take_lock()
        if lock is None:
            return await self.observe(key)
        try:
            record = folder.record()
            if record is not None and await to_thread.run_sync(host.kill_strays, folder.uid):
                return self._observed(folder, record).model_copy(update={"phase": "terminating"})
            started = self._new_record(key, launch)
            folder.commit(started)
            starter = start_holder(self._program, folder, launch, self._settings, lock, secrets.files)
        finally:
            os.close(lock)
        self._tasks.start_soon(_reap, starter, name=f"start holder {folder.uid}")
        return self._observed(folder, started)

    def _new_record(self, key: Key, launch: Launch) -> BodyRecord:
        return BodyRecord(
            labels=body_labels(self._context.owner, key, generation=launch.generation, hash=launch.hash),
            tenant=key.tenant,
            agent=key.agent,
            uid=key.uid,
            generation=launch.generation,
            hash=launch.hash,
            ports=tuple(port.port for port in launch.template.ports),
        )

    # ending

    def _end(self, folder: BodyFolder, record: BodyRecord, grace: float) -> Observed:
        """Commit the decision, then ask the holder to end; kill it when it should have ended long ago."""
        now = self._context.now().timestamp()
        due = now + grace + _PATIENCE
        overdue = record.kill_at is not None and now >= record.kill_at
        kill_at = due if record.kill_at is None else min(due, record.kill_at)
        record = record.model_copy(update={"kill_at": kill_at})
        folder.commit(record)
        holder = folder.holder()
        if holder is not None and folder.alive():
            (folder.path / "grace").write_text(f"{grace:g}")
            host.signal_process(holder.pid, holder.start, signal.SIGKILL if overdue else signal.SIGTERM)
        return self._observed(folder, record)

    async def _go_on_deleting(self, key: Key, folder: BodyFolder, record: BodyRecord) -> Observed:
        """Remove the body once nothing of it lives."""
        lock = folder.take_lock()
        if lock is None:
            return await self.observe(key)
        try:
            if await to_thread.run_sync(host.kill_strays, folder.uid):
                return await self.observe(key)
            if record.purge:
                self._discard(folder)
            else:
                folder.retire()
        except OSError as error:
            raise UnavailableError(f"cannot remove {folder.path}: {error.strerror}", retry_after=5) from None
        finally:
            os.close(lock)
        return removed(key, folder, self._context.now())

    def _discard(self, folder: BodyFolder) -> None:
        folder.discard(self._trash)
        self._tasks.start_soon(_empty, self._trash, name="empty the trash")


async def _reap(starter: subprocess.Popen[bytes]) -> None:
    """Take the end of the process that started a holder; it lives for some 30 ms."""
    with anyio.CancelScope(shield=True):
        try:
            await to_thread.run_sync(starter.wait, _START_DEADLINE)
        except subprocess.TimeoutExpired:
            starter.kill()
            starter.wait()


async def _empty(trash: Path) -> None:
    """Remove what was purged; what remains is removed at the next start."""
    await to_thread.run_sync(lambda: shutil.rmtree(trash, ignore_errors=True), abandon_on_cancel=True)


def _sweep(bodies: Path) -> None:
    """Remove folders whose body was never committed."""
    for folder in body_folders(bodies):
        with suppress(OSError, UnavailableError):
            lock = folder.take_lock()
            if lock is not None:
                folder.sweep()
                os.close(lock)


@asynccontextmanager
async def open_process_executor(settings: ProcessSettings, context: PluginContext) -> AsyncIterator[ProcessExecutor]:
    """Open the executor on this machine; its bodies are in ``settings.folder`` or the context's, and outlive it."""
    folder = private_folder(settings.folder or context.folder)
    bodies, trash = folder / "bodies", folder / "trash"
    bodies.mkdir(mode=0o700, exist_ok=True)
    _sweep(bodies)
    program = await to_thread.run_sync(holder_program, context.folder, settings)
    async with background() as tasks:
        if trash.exists():
            tasks.start_soon(_empty, trash)
        yield ProcessExecutor(settings, context, folder, program, tasks)
