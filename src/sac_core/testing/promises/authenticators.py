"""The promises of authenticators: what is not theirs, what is not valid, what is hostile; quick, and silent."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import ClassVar

import anyio
import pytest

from sac_core.contracts.authenticator import Authenticator, Credentials
from sac_core.contracts.context import PluginContext
from sac_core.errors import UnauthenticatedError
from sac_core.models.principal import ALL, Principal
from sac_core.testing.fixtures import temporary_context
from sac_core.testing.promises.cancellation import MOMENTS
from sac_core.testing.promises.marks import promise
from sac_core.testing.promises.unwritten import demand_written
from sac_core.testing.promises.waiting import ATTEMPTS, LONGEST_TURN, longest_turn

HOSTILE = (
    "",
    " ",
    ".",
    "..",
    "a.b.c",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.",
    "eyJhbGciOiJub25lIn0",
    "=" * 64,
    "\0",
    "a\nb",
    "\x1b[2J",
    "💥" * 8,
    "\ud800",
    "{}{0.__class__}%s%n",
    "' OR '1'='1",
    "../../etc/passwd",
    "-" * 1024,
    "[" * 100_000,
    "A" * 1_048_576,
)
"""Tokens that nobody has, made to trip those who parse them."""
MANY = 50


def changed(token: str) -> Iterator[str]:
    """What a token is not any more once it was damaged, shortened, repeated or written in another case."""
    middle = len(token) // 2
    yield token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    yield token[: len(token) * 3 // 4]
    yield token + token
    if token.swapcase() != token:
        yield token.swapcase()


def canaries(token: str) -> tuple[str, str]:
    """By what a token is known where it should not be: the whole, and its second half."""
    return token, token[len(token) // 2 :]


class AuthenticatorContract:
    """Override `open_authenticator`, `valid` and `invalid`; `foreign` where other kinds of credentials are known."""

    pytestmark = pytest.mark.anyio

    patience: ClassVar[float] = 2.0
    """Seconds within which every answer comes."""

    def open_authenticator(self, context: PluginContext) -> AbstractAsyncContextManager[Authenticator]:
        """The authenticator; `valid` and `invalid` are called while it is open."""
        raise NotImplementedError("override open_authenticator(context)")

    def valid(self) -> Sequence[Credentials]:
        """Good credentials, of two principals at least."""
        raise NotImplementedError("override valid()")

    def invalid(self) -> Sequence[Credentials]:
        """Credentials of this authenticator's kind that are not good; none if it cannot tell them from foreign ones."""
        return ()

    def foreign(self) -> Sequence[Credentials]:
        """Credentials of other kinds."""
        return (Credentials(), Credentials(bearer="sac-test-credentials-of-another-kind"))

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def context(self) -> Iterator[PluginContext]:
        """What it is opened with."""
        with temporary_context() as context:
            yield context

    @pytest.fixture
    async def opened(self, context: PluginContext) -> AsyncIterator[Authenticator]:
        """The authenticator of this test."""
        async with self.open_authenticator(context) as authenticator:
            demand_written((authenticator, Authenticator), (self, AuthenticatorContract))
            yield authenticator

    @promise("kinds")
    async def test_credentials_of_another_kind_are_none(self, opened: Authenticator) -> None:
        for credentials in self.foreign():
            with anyio.fail_after(self.patience):
                answer = await opened.authenticate(credentials)
            assert answer is None, f"foreign credentials are {answer}"

    @promise("validity")
    async def test_valid_credentials_are_the_same_principal_each_time(self, opened: Authenticator) -> None:
        assert self.valid(), "valid() gives no credentials"
        for credentials in self.valid():
            with anyio.fail_after(self.patience):
                first, second = await opened.authenticate(credentials), await opened.authenticate(credentials)
            assert isinstance(first, Principal), f"valid credentials are {first!r}"
            assert first == second, "the same credentials are somebody else the second time"

    @promise("validity")
    async def test_invalid_credentials_are_refused(self, opened: Authenticator) -> None:
        if not self.invalid():
            pytest.skip("capability: invalid (override AuthenticatorContract.invalid)")
        for number, credentials in enumerate(self.invalid()):
            with anyio.fail_after(self.patience):
                try:
                    answer = await opened.authenticate(credentials)
                except UnauthenticatedError:
                    continue
            pytest.fail(f"invalid credentials {number} are {answer}, and not an UnauthenticatedError")

    @promise("validity")
    async def test_a_changed_token_is_nobodys(self, opened: Authenticator) -> None:
        for token in self._tokens(self.valid()):
            for number, other in enumerate(changed(token)):
                answer = await self._answer(opened, Credentials(bearer=other))
                assert answer is None, f"a token with change {number} is {answer}"

    @promise("principals")
    async def test_principals_are_well_formed(self, opened: Authenticator) -> None:
        for credentials in self.valid():
            who = await opened.authenticate(credentials)
            assert who is not None, "valid credentials are nobody"
            assert who.kind != "system", "a principal from outside must not be SAC itself"
            assert who.name.strip(), "a principal has no name"
            assert who.name.isprintable(), f"a principal's name has control characters: {who.name!r}"
            assert who.may_enter(who.tenant), f"{who.id} may not enter its own tenant {who.tenant}"
            wrong = [each for each in who.permissions if each != ALL and ":" not in each]
            assert not wrong, f"permissions are <plural>:<verb>, not {wrong}"

    @promise("hostility")
    async def test_hostile_tokens_are_refused_in_our_words(self, opened: Authenticator) -> None:
        for number, token in enumerate(HOSTILE):
            try:
                answer = await self._answer(opened, Credentials(bearer=token))
            except Exception as error:
                raise AssertionError(f"hostile token {number}, {token[:40]!r}, raises {error!r:.300}") from error
            assert answer is None, f"hostile token {number}, {token[:40]!r}, is {answer}"

    @promise("secrecy")
    async def test_no_secret_is_in_an_error(self, opened: Authenticator) -> None:
        damaged = (other for token in self._tokens(self.valid()) for other in changed(token))
        for token in (*self._tokens(self.invalid()), *damaged):
            try:
                await opened.authenticate(Credentials(bearer=token))
            except UnauthenticatedError as error:
                told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
                assert not any(canary in told for canary in canaries(token)), "the error tells the token"

    @promise("secrecy")
    async def test_no_secret_is_logged_or_shown(
        self, opened: Authenticator, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level("DEBUG")
        given = [*self.valid(), *self.invalid()]
        shown = []
        for credentials in given:
            with suppress(UnauthenticatedError):
                shown.append(repr(await opened.authenticate(credentials)))
        printed = capfd.readouterr()
        seen = " ".join([*shown, caplog.text, repr(opened), str(opened), printed.out, printed.err])
        for token in self._tokens(given):
            assert not any(canary in seen for canary in canaries(token)), "a token is in a log, a print or a repr"

    @promise("speed")
    async def test_no_answer_blocks_the_event_loop(self, opened: Authenticator) -> None:
        given = [*self.valid(), *self.invalid(), *self.foreign()]
        worst = []
        for credentials in given:
            turns = []
            for _ in range(ATTEMPTS):
                async with longest_turn() as longest:
                    await self._answer(opened, credentials)
                turns.append(longest())
            worst.append(min(turns))
        slow = [f"{seconds * 1000:.0f} ms" for seconds in worst if seconds > LONGEST_TURN]
        assert not slow, f"answers block the event loop every time: {slow}"

    @promise("cancellation")
    async def test_a_cancelled_answer_changes_nothing(self, opened: Authenticator) -> None:
        credentials = self.valid()[0]
        wanted = await opened.authenticate(credentials)
        for moment in MOMENTS:
            task = asyncio.ensure_future(opened.authenticate(credentials))
            for _ in range(int(moment)):
                await asyncio.sleep(0)
            if 0 < moment < 1:
                await asyncio.sleep(moment)
            task.cancel()
            with anyio.fail_after(self.patience):
                with suppress(asyncio.CancelledError):
                    await task
                assert await opened.authenticate(credentials) == wanted, f"not known after a cancellation at {moment}"

    @promise("cancellation")
    async def test_many_at_once_get_their_own_answers(self, opened: Authenticator) -> None:
        given = [*self.valid(), *self.invalid(), *self.foreign()]
        wanted = [await self._answer(opened, credentials) for credentials in given]
        asked = [number % len(given) for number in range(MANY)]
        with anyio.fail_after(self.patience * 5):
            answers = await asyncio.gather(*(self._answer(opened, given[number]) for number in asked))
        wrong = [number for number, answer in zip(asked, answers, strict=True) if answer != wanted[number]]
        assert not wrong, f"asked at once, {len(wrong)} of {MANY} got another answer than alone"

    @promise("cancellation")
    async def test_no_task_outlives_the_context(self, context: PluginContext) -> None:
        before = asyncio.all_tasks()
        async with self.open_authenticator(context) as authenticator:
            demand_written((authenticator, Authenticator), (self, AuthenticatorContract))
            for credentials in self.valid():
                await authenticator.authenticate(credentials)
        for _ in range(10):
            await asyncio.sleep(0)
        left = [task.get_name() for task in asyncio.all_tasks() - before if not task.done()]
        assert not left, f"tasks outlive the authenticator's context: {sorted(left)}"

    async def _answer(self, opened: Authenticator, credentials: Credentials) -> Principal | None:
        """The principal; None for nobody, whichever way that is said."""
        with anyio.fail_after(self.patience):
            try:
                return await opened.authenticate(credentials)
            except UnauthenticatedError:
                return None

    def _tokens(self, given: Sequence[Credentials]) -> list[str]:
        return [credentials.bearer for credentials in given if credentials.bearer]
