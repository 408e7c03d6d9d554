"""An authenticator that keeps every promise, and those that break one each, as plausible mistakes do."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar

from sac_core.contracts.authenticator import Authenticator, Credentials
from sac_core.contracts.context import PluginContext
from sac_core.errors import UnauthenticatedError
from sac_core.models.principal import Principal
from sac_core.testing.authenticator_suite import AuthenticatorContract

PREFIX = "tst_"
ANN, BOB = f"{PREFIX}ann_3f9c0b7a51e8d264", f"{PREFIX}bob_71d5e2a8c04f963b"
OLD = f"{PREFIX}old_a0c6f4e2918b735d"


class GoodAuthenticator(Authenticator):
    """Knows two tokens, and that a third is over."""

    principals: ClassVar[dict[str, Principal]] = {
        ANN: Principal("user", "ann", "ann", frozenset({"ann"}), frozenset({"agents:*"})),
        BOB: Principal("user", "bob", "bob", frozenset({"bob"}), frozenset({"*"})),
    }

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        token = credentials.bearer
        if token is None or not token.startswith(PREFIX):
            return None
        await asyncio.sleep(0)
        return self.find(token)

    def find(self, token: str) -> Principal:
        """Whose token it is."""
        if token not in self.principals:
            raise UnauthenticatedError("this token is not valid", hint="sign in again")
        return self.principals[token]


class TakesForeign(GoodAuthenticator):
    """Takes whatever it does not know for an error, so that nobody after it is asked."""

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        if credentials.bearer is None or not credentials.bearer.startswith(PREFIX):
            raise UnauthenticatedError("this token is not valid")
        return await super().authenticate(credentials)


class WorksOnce(GoodAuthenticator):
    """Makes another principal each time."""

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        who = await super().authenticate(credentials)
        return None if who is None else Principal("user", f"{who.name}-{time.monotonic_ns()}")


class ForgivesExpiry(GoodAuthenticator):
    """Does not look at the end of a token's life."""

    def find(self, token: str) -> Principal:
        return self.principals[ANN] if token == OLD else super().find(token)


class LooksAtHalf(GoodAuthenticator):
    """Finds a token by its beginning."""

    def find(self, token: str) -> Principal:
        found = [who for known, who in self.principals.items() if known[:12] == token[:12]]
        return found[0] if found else super().find(token)


class MakesSystem(GoodAuthenticator):
    """Gives out SAC's own rights."""

    principals: ClassVar = {ANN: Principal("system", "ann"), BOB: Principal("system", "bob")}


class TripsOverBytes(GoodAuthenticator):
    """Encodes what it is given as if it were ASCII."""

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        if credentials.bearer:
            credentials.bearer.encode("ascii")
        return await super().authenticate(credentials)


class TellsToken(GoodAuthenticator):
    """Says which token is wrong."""

    def find(self, token: str) -> Principal:
        if token not in self.principals:
            raise UnauthenticatedError(f"{token} is not valid")
        return super().find(token)


class LogsToken(GoodAuthenticator):
    """Writes down who knocks."""

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        logging.getLogger("acme").debug("checking %s", credentials.bearer)
        return await super().authenticate(credentials)


class BlocksLoop(GoodAuthenticator):
    """Hashes a password on the loop."""

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        time.sleep(0.06)  # noqa: ASYNC251 - the fault itself
        return await super().authenticate(credentials)


class KeepsLock(GoodAuthenticator):
    """Takes a lock that a cancelled caller never gives back."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        await self._lock.acquire()
        await asyncio.sleep(0)
        answer = None
        try:
            answer = await super().authenticate(credentials)
        except UnauthenticatedError:
            self._lock.release()
            raise
        self._lock.release()
        return answer


class SharesAnswer(GoodAuthenticator):
    """Keeps what it works on where the next caller overwrites it."""

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        self._token = credentials.bearer
        await asyncio.sleep(0)
        return await super().authenticate(Credentials(bearer=self._token))


class LeaksTask(GoodAuthenticator):
    """Fetches new keys for ever."""

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        self._fetching = asyncio.create_task(asyncio.sleep(3600.0), name="leaked fetcher")
        return await super().authenticate(credentials)


class BrokenContract(AuthenticatorContract):
    """The suite on one of them: subclasses say which."""

    broken: type[GoodAuthenticator]
    patience = 1.0

    def open_authenticator(self, context: PluginContext) -> AbstractAsyncContextManager[Authenticator]:
        return self._open()

    def valid(self) -> Sequence[Credentials]:
        return [Credentials(bearer=ANN), Credentials(bearer=BOB)]

    def invalid(self) -> Sequence[Credentials]:
        return [Credentials(bearer=OLD)]

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Authenticator]:
        yield self.broken()
