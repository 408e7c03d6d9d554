"""More executors that break a promise: what they tell of bodies, how they make and end them, what they claim."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from anyio.abc import ByteStream

from sac_core.contracts.executor import Resync
from sac_core.contracts.process import Process
from sac_core.errors import ConflictError, LostError, SacError
from sac_core.models.body import Key, Observed, Probe
from sac_core.models.launch import NO_SECRETS, Launch, Secrets
from sac_core.models.process import Command
from sac_core.models.recipe import Recipe
from sac_core.testing.faults import PlannedCall
from sac_core.testing.simulated import SimulatedExecutor
from sac_core.testing.simulated_stream import EchoStream
from sac_core.testing.simulated_target import SimulatedBody, SimulatedTarget


class VendorError(Exception):
    """What a vendor's library raises."""


class ListsLate(SimulatedExecutor):
    """Lists what it saw when it was asked last."""

    _seen: tuple[Observed, ...] = ()

    async def bodies(self) -> AsyncIterator[Observed]:
        seen, self._seen = self._seen, tuple([seen async for seen in super().bodies()])
        for each in seen:
            yield each


class RemembersGenerations(SimulatedExecutor):
    """Refuses what is older than what was deleted long ago."""

    def __init__(self, target: SimulatedTarget, owner: str) -> None:
        super().__init__(target, owner)
        self._newest: dict[str, int] = {}

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        if launch.generation < self._newest.get(key.uid, 0):
            raise ConflictError("there was a newer one")
        self._newest[key.uid] = launch.generation
        return await super().ensure(key, launch, secrets)


class TellsNoReason(SimulatedExecutor):
    """Says that a body is not there any more, and no more."""

    def _describe(self, body: SimulatedBody) -> Observed:
        return super()._describe(body).model_copy(update={"exit": None, "reason": "", "message": ""})


class RaisesForNothing(SimulatedExecutor):
    """Raises for what was never made."""

    async def observe(self, key: Key) -> Observed:
        if self._find(key) is None:
            raise LostError("404")
        return await super().observe(key)


class ClaimsMore(SimulatedExecutor):
    """Claims a holder that it never starts, and what nobody knows."""

    async def probe(self) -> Probe:
        probe = await super().probe()
        return probe.model_copy(update={"capabilities": (*probe.capabilities, "holder", "teleport")})


class HintsNothing(SimulatedExecutor):
    """Claims `watch`, and waits for ever."""

    async def watch(self) -> AsyncIterator[Key | Resync]:
        await asyncio.sleep(3600.0)
        yield Key("", "", "")


class BuildsInSilence(SimulatedExecutor):
    """Tells nobody what it does."""

    async def build_image(self, recipe: Recipe, *, base: str | None, tag: str) -> AsyncGenerator[str]:
        told: tuple[str, ...] = ()
        for line in told:
            yield line


class BuildsAnything(SimulatedExecutor):
    """Does not look whether a step failed."""

    async def build_image(self, recipe: Recipe, *, base: str | None, tag: str) -> AsyncGenerator[str]:
        yield "built"


class DialsNowhere(SimulatedExecutor):
    """Has not got to it yet, and says so in its own way."""

    async def probe(self) -> Probe:
        probe = await super().probe()
        return probe.model_copy(update={"capabilities": tuple(set(probe.capabilities) - {"dial"})})

    async def dial(self, key: Key, port: int) -> ByteStream:
        raise VendorError("not implemented")


class DialsEverything(SimulatedExecutor):
    """Connects to whatever it is asked for, and raises what its vendor raises where nobody answers."""

    async def dial(self, key: Key, port: int) -> ByteStream:
        body = self._find(key)
        if body is not None and not (body.launch.template.command or ("",))[0].startswith("serve"):
            raise VendorError("connection refused")
        return EchoStream()


class DialsOnce(SimulatedExecutor):
    """One stream for all who dial."""

    def __init__(self, target: SimulatedTarget, owner: str) -> None:
        super().__init__(target, owner)
        self._stream = EchoStream()

    async def dial(self, key: Key, port: int) -> ByteStream:
        return self._stream


class DialsTheDeaf(SimulatedExecutor):
    """A stream that has ended when it is there."""

    async def dial(self, key: Key, port: int) -> ByteStream:
        stream = EchoStream()
        await stream.send_eof()
        return stream


class TripsOverOptions(SimulatedExecutor):
    """Lets through what its vendor thinks of options and folders."""

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        if launch.template.options or launch.template.cwd:
            raise VendorError("400 bad request")
        return await super().ensure(key, launch, secrets)


class TripsOverEnded(SimulatedExecutor):
    """Lets through what its vendor says of a body that has ended."""

    def _running(self, key: Key) -> SimulatedBody:
        body = self._find(key)
        if body is not None and body.phase in ("exited", "failed"):
            raise VendorError("409 not running")
        return super()._running(key)


class RefusesTooLate(SimulatedExecutor):
    """Ends the old body, then finds out that it cannot make the new one."""

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        body = self._find(key)
        if body is not None and body.launch.hash != launch.hash:
            self._refuse_older(body, launch.generation)
            body.remove(0.0)
        return await super().ensure(key, launch, secrets)


class FindsByName(SimulatedExecutor):
    """Takes an agent's name for who it is."""

    def _find(self, key: Key) -> SimulatedBody | None:
        named = (body for body in self.target.bodies() if body.key.agent == key.agent and body.owner == self.owner)
        return next(named, None)


class LabelsOnce(SimulatedExecutor):
    """Leaves the labels of a body as they were when it was made."""

    async def _end_other(self, call: PlannedCall, key: Key, launch: Launch) -> None:
        body = self._find(key)
        labels = dict(body.labels) if body else {}
        await super()._end_other(call, key, launch)
        if body is not None and body.phase != "terminating":
            body.labels = labels


class ListsAll(SimulatedExecutor):
    """Lists whatever has our labels, whoever's it is."""

    async def bodies(self) -> AsyncIterator[Observed]:
        for body in list(self.target.bodies()):
            if body.owner is not None:
                yield self._describe(body)


class CleansUp(SimulatedExecutor):
    """Ends what nobody labelled when it is opened."""

    def __init__(self, target: SimulatedTarget, owner: str) -> None:
        super().__init__(target, owner)
        for body in [body for body in target.bodies() if body.owner is None]:
            body.remove(0.0)


class ShowsEnvironment(SimulatedExecutor):
    """Keeps the newest command where everybody sees it."""

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        process = await super().open_process(key, process_id, command)
        self._running(key).labels["command"] = repr(command.env)
        return process


class TellsSecrets(SimulatedExecutor):
    """Says what it was given when it refuses."""

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        try:
            return await super().ensure(key, launch, secrets)
        except SacError as error:
            raise ConflictError(f"{error}: {secrets.env}") from error


class WaitsForGone(SimulatedExecutor):
    """Deletes, and comes back when it is done."""

    async def delete(self, key: Key, *, generation: int, grace: float, purge: bool) -> Observed:
        seen = await super().delete(key, generation=generation, grace=grace, purge=purge)
        while seen.phase == "terminating":
            await asyncio.sleep(0.01)
            seen = self._see(key)
        return seen


class WaitsForOld(SimulatedExecutor):
    """Replaces, and waits for what it replaces."""

    async def _end_other(self, call: PlannedCall, key: Key, launch: Launch) -> None:
        await super()._end_other(call, key, launch)
        while (body := self._find(key)) is not None and body.phase == "terminating":  # noqa: ASYNC110 - the fault itself
            await asyncio.sleep(0.01)


class EndsAtClose(SimulatedExecutor):
    """Takes its bodies with it."""

    def close(self) -> None:
        for body in [body for body in self.target.bodies() if body.owner == self.owner]:
            body.end("exited")
        super().close()


class LeavesEnded(SimulatedExecutor):
    """Takes a body that ended for one that is there."""

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        body = self._find(key)
        if body is not None and body.phase in ("exited", "failed", "stopped") and body.launch.hash == launch.hash:
            return self._see(key)
        return await super().ensure(key, launch, secrets)


class SharesCall(SimulatedExecutor):
    """Keeps what it works on where the next call overwrites it."""

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        self._now = key, launch, secrets
        await asyncio.sleep(0)
        return await super().ensure(*self._now)


class StopIsDelete(SimulatedExecutor):
    """Knows no difference between stopping and deleting, nor between absent and stopped."""

    async def stop(self, key: Key, *, generation: int, grace: float) -> Observed:
        body = self._find(key)
        if body is None:
            self._create(key, Launch(generation=generation), NO_SECRETS)
            return self._see(key).model_copy(update={"phase": "stopped"})
        return await self.delete(key, generation=generation, grace=0.0, purge=False)


class NoFiles(SimulatedExecutor):
    """Claims `files`, and forgets them."""

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        return await super().ensure(key, launch, Secrets(env=secrets.env))


class DeletesInSteps(SimulatedExecutor):
    """Takes off the labels first; a cancelled caller never comes to the rest."""

    async def delete(self, key: Key, *, generation: int, grace: float, purge: bool) -> Observed:
        body = self._find(key)
        if body is not None:
            labels, body.labels = body.labels, {}
            await asyncio.sleep(0)
            body.labels = labels
        return await super().delete(key, generation=generation, grace=grace, purge=purge)


class ReplacesInSteps(SimulatedExecutor):
    """Makes the new body, then ends the old one; a cancelled caller leaves both."""

    async def _end_other(self, call: PlannedCall, key: Key, launch: Launch) -> None:
        body = self._find(key)
        if body is None or body.phase == "terminating" or body.launch.hash == launch.hash:
            await super()._end_other(call, key, launch)
            return
        self._create(key, launch, NO_SECRETS)
        for _ in range(4):
            await asyncio.sleep(0)
        body.remove(0.0)
