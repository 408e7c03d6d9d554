"""Opening and closing SAC: what the caller raises is his own, a folder in use is told, agents go on."""

from __future__ import annotations

import stat

import anyio
import pytest

import sac_core
from sac_core.contracts.authenticator import Credentials
from sac_core.core import open_core
from sac_core.errors import ConfigurationError, NotFoundError, UnauthenticatedError
from sac_core.hooks import hookimpl
from sac_core.hooks.records import ExecutorPlugin
from sac_core.models.principal import LOCAL
from sac_core.settings import Settings, load_settings


async def test_what_the_caller_raises_comes_out_as_it_is(settings: Settings) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with sac_core.open(settings):
            raise KeyError("mine")


async def test_cancelling_the_caller_closes_everything(settings: Settings) -> None:
    with anyio.CancelScope() as scope:
        async with sac_core.open(settings) as sac:
            await sac.agents.create("a1")
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    async with sac_core.open(settings) as again:
        assert (await again.agents.wait("a1", timeout=20)).status.phase == "Running"


async def test_two_on_one_data_directory_are_told_what_to_do(settings: Settings) -> None:
    async with sac_core.open(settings):
        with pytest.raises(ConfigurationError, match="SAC_DATA_DIR") as caught:
            async with sac_core.open(settings):
                raise AssertionError("opened twice")
    assert caught.value.reason == "Locked"


async def test_the_data_directory_and_its_token_are_private(settings: Settings) -> None:
    async with open_core(settings) as core:
        token = (settings.data_dir / "token").read_text()
        assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700
        assert stat.S_IMODE((settings.data_dir / "token").stat().st_mode) == 0o600
        assert await core.authenticate(Credentials(bearer=token)) == LOCAL
        with pytest.raises(UnauthenticatedError):
            await core.authenticate(Credentials(bearer="wrong"))
        with pytest.raises(UnauthenticatedError):
            await core.authenticate(Credentials())
        with pytest.raises(NotFoundError):
            core.sac(LOCAL, "another-tenant")
    async with open_core(settings):
        assert (settings.data_dir / "token").read_text() == token


async def test_an_executor_that_cannot_be_opened_stops_only_itself(settings: Settings) -> None:
    def refuse(given: object, context: object) -> object:
        raise RuntimeError("no engine here")

    class Offers:
        @hookimpl
        def sac_executors(self) -> list[ExecutorPlugin]:
            return [ExecutorPlugin(name="acme", summary="", open=refuse)]  # type: ignore[arg-type]

    async with open_core(settings, plugins=[("acme", Offers())]) as core:
        found = {plugin.name: plugin for plugin in await core.sac(LOCAL).plugins()}
        assert found["acme"].state == "failed"
        assert found["acme"].message.startswith("RuntimeError: no engine here (at 2")
    needed = settings.model_copy(update={"default_executor": "acme"})
    with pytest.raises(ConfigurationError, match="no engine here"):
        async with open_core(needed, plugins=[("acme", Offers())]):
            raise AssertionError("opened without what is needed")


@pytest.mark.parametrize(
    ("variable", "given", "said"),
    [
        ("SAC_PORT", "abc", "SAC_PORT: 'abc' cannot be used: it is not a whole number (for example: SAC_PORT='8765')"),
        ("SAC_PORT", "70000", "SAC_PORT: '70000' cannot be used: it is too big (for example: SAC_PORT='8765')"),
        ("SAC_RESYNC", "soon", "SAC_RESYNC: 'soon' cannot be used: it is not a number (for example: SAC_RESYNC='30')"),
        ("SAC_PLUGINS", "abc", 'SAC_PLUGINS: it is not JSON (for example: SAC_PLUGINS=\'{"process": {"nice": 10}}\')'),
    ],
)
def test_a_wrong_setting_says_what_was_given_and_what_could_be(
    monkeypatch: pytest.MonkeyPatch, variable: str, given: str, said: str
) -> None:
    monkeypatch.setenv(variable, given)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert str(caught.value) == said


def test_a_wrong_setting_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAC_PORT", "99999")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert caught.value.field == "SAC_PORT"
    monkeypatch.delenv("SAC_PORT")
    monkeypatch.setenv("SAC_TOKEN", "short")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert caught.value.field == "SAC_TOKEN"
