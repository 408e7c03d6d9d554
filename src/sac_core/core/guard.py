"""Stands between SAC and what plugins opened: every answer comes in time, and every failure is one of ours."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import anyio
from anyio.abc import ByteStream

from sac_core.contracts.authenticator import Authenticator, Credentials
from sac_core.contracts.executor import Executor, Resync
from sac_core.contracts.process import Process
from sac_core.core.apart import apart, flowing
from sac_core.errors import SacError, UnavailableError
from sac_core.hooks.troubles import Troubles
from sac_core.models.body import Key, Observed, Probe
from sac_core.models.launch import Launch, Secrets
from sac_core.models.principal import Principal
from sac_core.models.process import Command
from sac_core.models.recipe import Recipe

log = logging.getLogger("sac.plugins")

R = TypeVar("R")

CALL_DEADLINE = 20.0
"""Seconds in which a call of an executor is answered."""
SIGN_IN_DEADLINE = 10.0
"""Seconds in which an authenticator answers."""
PAUSE = 15.0
"""Seconds, with jitter, for which one that hung is not asked again, so that who needs others does not wait for it."""


class Guard:
    """Makes calls of one plugin."""

    def __init__(
        self, family: str, name: str, troubles: Troubles, deadline: float, *, pause: float | None = None
    ) -> None:
        self._family, self._name, self._troubles, self._deadline = family, name, troubles, deadline
        self._pause = PAUSE if pause is None else pause
        self._quiet_until = 0.0

    async def call(self, what: str, call: Callable[[], Awaitable[R]]) -> R:
        """Its answer; `UnavailableError` when it hangs, hung a moment ago, or raises what is not ours."""
        failed = self._troubles.failure(self._family, self._name)
        if failed:
            raise self._unavailable(failed)
        if anyio.current_time() < self._quiet_until:
            raise self._unavailable(f"did not answer within {self._deadline:g} s")
        began = anyio.current_time()
        try:
            return await apart(call, self._deadline)
        except SacError:
            raise
        except (Exception, SystemExit) as error:
            if isinstance(error, TimeoutError) and anyio.current_time() - began >= self._deadline:
                raise self._hung(what) from None
            raise self._told(what, error) from error

    async def stream(self, what: str, make: Callable[[], AsyncIterator[R]]) -> AsyncGenerator[R]:
        """What it yields, when it comes; `UnavailableError` when it raises what is not ours."""
        try:
            async with aclosing(flowing(make)) as items:
                async for item in items:
                    yield item
        except SacError:
            raise
        except (Exception, SystemExit) as error:
            raise self._told(what, error) from error

    def _hung(self, what: str) -> UnavailableError:
        self._quiet_until = anyio.current_time() + self._pause * random.uniform(0.8, 1.2)
        told = f"did not answer {what} within {self._deadline:g} s"
        self._troubles.note(self._family, self._name, told)
        return self._unavailable(told)

    def _told(self, what: str, error: BaseException) -> UnavailableError:
        """Its class alone: the text may be anything, a secret too."""
        log.error("%s %s failed in %s", self._family, self._name, what, exc_info=error)
        told = f"{what} raised {type(error).__name__}, which is no error of SAC's"
        self._troubles.note(self._family, self._name, told)
        return self._unavailable(told)

    def _unavailable(self, why: str) -> UnavailableError:
        return UnavailableError(
            f"{self._family} {self._name!r}: {why}", hint="see: sac plugins", retry_after=self._pause or None
        )


class GuardedExecutor(Executor):
    """An executor behind a guard."""

    def __init__(self, name: str, executor: Executor, troubles: Troubles) -> None:
        self._executor = executor
        self._guard = Guard("executor", name, troubles, CALL_DEADLINE)

    async def probe(self) -> Probe:
        return await self._guard.call("probe", self._executor.probe)

    async def ensure(self, key: Key, launch: Launch, secrets: Secrets) -> Observed:
        return await self._guard.call("ensure", lambda: self._executor.ensure(key, launch, secrets))

    async def observe(self, key: Key) -> Observed:
        return await self._guard.call("observe", lambda: self._executor.observe(key))

    async def bodies(self) -> AsyncIterator[Observed]:
        for seen in await self._guard.call("bodies", self._listed):
            yield seen

    async def _listed(self) -> list[Observed]:
        """In one call: the generator of a plugin is not carried from task to task."""
        return [seen async for seen in self._executor.bodies()]

    async def delete(self, key: Key, *, generation: int, grace: float, purge: bool) -> Observed:
        return await self._guard.call(
            "delete", lambda: self._executor.delete(key, generation=generation, grace=grace, purge=purge)
        )

    async def open_holder(self, key: Key) -> ByteStream | None:
        return await self._guard.call("open_holder", lambda: self._executor.open_holder(key))

    async def open_process(self, key: Key, process_id: str, command: Command) -> Process:
        return await self._guard.call("open_process", lambda: self._executor.open_process(key, process_id, command))

    async def stop(self, key: Key, *, generation: int, grace: float) -> Observed:
        return await self._guard.call("stop", lambda: self._executor.stop(key, generation=generation, grace=grace))

    async def watch(self) -> AsyncIterator[Key | Resync]:
        """Hints come when they come: only what it raises is guarded."""
        try:
            async for hint in flowing(self._executor.watch):
                yield hint
        except SystemExit as error:
            raise RuntimeError("watch called sys.exit") from error

    async def dial(self, key: Key, port: int) -> ByteStream:
        """A stream that comes when its caller has gone already is closed."""
        made: list[ByteStream] = []
        gone = False

        async def dialled() -> ByteStream:
            made.append(await self._executor.dial(key, port))
            if gone:  # nobody waits for this call any more: it did not end when it was cancelled
                await anyio.aclose_forcefully(made[0])
            return made[0]

        try:
            return await self._guard.call("dial", dialled)
        except BaseException:
            gone = True
            for stream in made:
                await anyio.aclose_forcefully(stream)
            raise

    async def build_image(self, recipe: Recipe, *, base: str | None, tag: str) -> AsyncGenerator[str]:
        """It takes as long as it takes: only what it raises is guarded."""
        making = self._guard.stream("build_image", lambda: self._executor.build_image(recipe, base=base, tag=tag))
        async with aclosing(making) as lines:
            async for line in lines:
                yield line


class GuardedAuthenticator(Authenticator):
    """An authenticator behind a guard; raises `UnavailableError` where it should have answered."""

    def __init__(self, name: str, authenticator: Authenticator, troubles: Troubles) -> None:
        self._authenticator = authenticator
        self._guard = Guard("authenticator", name, troubles, SIGN_IN_DEADLINE)

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        return await self._guard.call("authenticate", lambda: self._authenticator.authenticate(credentials))
