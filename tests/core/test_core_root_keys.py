"""Where root keys come from, and that SAC does not start without those that are in use."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from sac_core.core import open_core
from sac_core.errors import ConfigurationError
from sac_core.settings import Settings, load_settings
from sac_core.store.root_keys import root_id

ONE, TWO = bytes(range(32)), bytes(range(32, 64))


def text(*keys: bytes) -> str:
    return ",".join(base64.b64encode(key).decode() for key in keys)


def given(settings: Settings, **update: object) -> Settings:
    return settings.model_copy(update=update)


async def seal(settings: Settings) -> bytes:
    async with open_core(settings) as core:
        return await core.services.sealing.seal("default", "x", b"canary")


async def unseal(settings: Settings, sealed: bytes) -> bytes:
    async with open_core(settings) as core:
        return await core.services.sealing.unseal("default", "x", sealed)


async def refusal(settings: Settings) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        async with open_core(settings):
            raise AssertionError("opened")
    return caught.value


async def test_sac_makes_a_private_key_of_its_own_and_keeps_it(settings: Settings) -> None:
    sealed = await seal(settings)
    path = settings.data_dir / "key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.b64decode(path.read_text())) == 32
    assert await unseal(settings, sealed) == b"canary"


async def test_a_lost_key_file_is_not_made_anew(settings: Settings) -> None:
    await seal(settings)
    (settings.data_dir / "key").unlink()
    error = await refusal(settings)
    assert (error.field, error.reason) == ("SAC_KEYS_FILE", "KeyMissing")
    assert not (settings.data_dir / "key").exists()


async def test_keys_come_from_the_setting(settings: Settings) -> None:
    first = given(settings, keys=SecretStr(text(ONE)))
    sealed = await seal(first)
    assert not (settings.data_dir / "key").exists()
    error = await refusal(given(settings, keys=SecretStr(text(TWO))))
    assert (error.field, error.reason) == ("SAC_KEYS", "KeyMissing")
    assert root_id(ONE) in error.message
    assert await unseal(given(settings, keys=SecretStr(text(TWO, ONE))), sealed) == b"canary"


async def test_keys_come_from_a_file(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# the active one first\n\n{text(ONE)}\n{text(TWO)}\n")
    sealed = await seal(given(settings, keys_file=path))
    path.write_text(f"{text(TWO)}\n{text(ONE)}\n")
    assert await unseal(given(settings, keys_file=path), sealed) == b"canary"
    path.unlink()
    assert (await refusal(given(settings, keys_file=path))).field == "SAC_KEYS_FILE"


@pytest.mark.parametrize("wrong", ["", "canary!", text(b"canary" * 5), text(ONE) + ","])
async def test_a_wrong_key_is_told_but_not_shown(settings: Settings, wrong: str) -> None:
    error = await refusal(given(settings, keys=SecretStr(wrong)))
    assert error.field == "SAC_KEYS"
    assert "canary" not in str(error)
    assert text(b"canary" * 5) not in str(error)


async def test_one_place_only(settings: Settings, tmp_path: Path) -> None:
    both = given(settings, keys=SecretStr(text(ONE)), keys_file=tmp_path / "keys")
    assert "one place" in (await refusal(both)).message


def test_the_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAC_KEYS", text(ONE))
    monkeypatch.setenv("SAC_KEYS_FILE", "/etc/sac/keys")
    found = load_settings()
    assert found.keys is not None
    assert (found.keys.get_secret_value(), found.keys_file) == (text(ONE), Path("/etc/sac/keys"))
    assert text(ONE) not in repr(found)
