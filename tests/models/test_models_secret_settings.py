"""Settings that are secret are taken out of settings, and put back in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import Field, RootModel, SecretBytes, SecretStr

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


class Keys(RootModel[list[SecretStr]]):
    """A list that is a model."""


class Deep(Model):
    registries: tuple[Tls, ...] = ()
    by_name: dict[str, Tls] = Field(default_factory=dict)
    some: frozenset[SecretStr] = frozenset()
    keys: Keys | None = None
    raw: SecretBytes | None = None
    open: tuple[Tls, ...] = ()
    within: Given | None = None


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"registries": [{"caFile": "/ca", "key": "canary"}, {"caFile": "/other"}]}, "registries"),
        ({"byName": {"x.y": {"caFile": "/ca", "key": "canary"}}}, "byName"),
        ({"some": ["canary"]}, "some"),
        ({"keys": ["canary"]}, "keys"),
        ({"raw": "canary"}, "raw"),
        ({"within": {"apiKeys": ["canary"]}}, "within.apiKeys"),
    ],
)
def test_secrets_are_found_however_deep_they_are(given: dict[str, object], path: str) -> None:
    settings = Deep.model_validate({**given, "open": [{"caFile": "/ca"}]})
    plain, secrets = parted(settings)
    assert list(secrets) == [path]
    assert plain["open"] == [{"caFile": "/ca"}]
    assert "canary" not in json.dumps(plain)
    kept = json.loads(json.dumps(secrets))
    assert Deep.model_validate(joined(plain, kept)) == settings


def test_what_is_given_comes_before_what_was_kept() -> None:
    assert joined({"tls": {"key": "new"}, "a": 1}, {"tls.key": "old", "b": "kept"}) == {
        "tls": {"key": "new"},
        "a": 1,
        "b": "kept",
    }


def test_what_was_kept_comes_back_only_into_what_is_given() -> None:
    assert joined({"tls": {}, "gone": None}, {"tls.key": "kept", "away.key": "K", "gone.key": "K"}) == {
        "tls": {"key": "kept"},
        "gone": None,
    }


def test_settings_that_are_not_given_are_not_kept() -> None:
    assert parted(Given()) == ({}, {})
