"""Settings that are secret are taken out of settings, and put back in."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from sac_core.models.base import Model
from sac_core.models.secret_settings import joined, parted


class Tls(Model):
    ca_file: Path | None = None
    key: SecretStr | None = None


class Given(Model):
    host: str = "here"
    tls: Tls = Tls()
    api_keys: tuple[SecretStr, ...] = ()
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    size: int = 3


WHOLE = {
    "host": "there",
    "tls": {"caFile": "/ca", "key": "canary-1"},
    "apiKeys": ["canary-2", "canary-3"],
    "headers": {"x.y": "canary-4"},
}


def test_what_is_secret_is_parted_from_what_may_be_shown() -> None:
    plain, secrets = parted(Given.model_validate(WHOLE))
    assert plain == {"host": "there", "tls": {"caFile": "/ca"}}
    assert sorted(secrets) == ["apiKeys", "headers", "tls.key"]
    again = Given.model_validate(joined(plain, secrets))
    assert again == Given.model_validate(WHOLE)


def test_what_is_given_comes_before_what_was_kept() -> None:
    assert joined({"tls": {"key": "new"}, "a": 1}, {"tls.key": "old", "b.c": "kept"}) == {
        "tls": {"key": "new"},
        "a": 1,
        "b": {"c": "kept"},
    }


def test_settings_that_are_not_given_are_not_kept() -> None:
    assert parted(Given()) == ({}, {})
