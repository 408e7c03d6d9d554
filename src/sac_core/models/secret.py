"""The Secret: a value that is written, used by reference, and never read back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from sac_core.errors import InvalidError
from sac_core.models.base import Model
from sac_core.models.envelope import Condition, Metadata
from sac_core.models.names import Name

DEFAULT_KEY = "value"
"""The key of a secret that has one value only and was given none."""

LARGEST = 256 * 1024
"""Bytes that all values of a secret may have together."""

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")
_NEEDED: Mapping[str, tuple[str, ...]] = {"opaque": (), "basic-auth": ("username", "password")}

OWN_TYPES = tuple(_NEEDED)
"""The types that need no runtime."""

SecretType = Name
"""``opaque``, ``basic-auth``, or a type that a runtime brings: see `SecretForm`."""


def _key(value: str) -> str:
    if not _KEY.match(value):
        raise ValueError("a key has 1 to 128 letters, digits, '.', '_' and '-', and begins with none of '.' and '-'")
    return value


SecretKey = Annotated[str, AfterValidator(_key)]
"""The name of one of a secret's values."""


class SecretForm(Model):
    """A type that a runtime brings: one value under the key ``value``, a text of which ``pattern`` fits the whole.

    ``option`` is the path of the runtime's option that takes such a secret; ``advice`` says where to get one.
    """

    pattern: str
    option: str
    advice: str


class Base64(Model):
    """A value that is not text."""

    base64: str = Field(repr=False)


class SecretSpec(Model):
    """``data`` is written only: an answer never has it. A replacement without it keeps the value.

    ``type`` ``basic-auth`` needs the keys ``username`` and ``password``, one of a runtime the key ``value`` alone.
    """

    type: SecretType = "opaque"
    data: dict[SecretKey, str | Base64] | None = Field(
        default=None, repr=False, min_length=1, max_length=64, json_schema_extra={"writeOnly": True}
    )

    @model_validator(mode="after")
    def _complete(self) -> SecretSpec:
        missing = None if self.data is None else missing_key(self.type, self.data)
        if missing is not None:
            raise ValueError(f"a secret of type {self.type} needs the key {missing!r}")
        return self


class SecretStatus(Model):
    """``version`` counts the values written; ``last4`` has, by key, the last 4 digits of the value's SHA-256."""

    phase: Literal["Ready"] = "Ready"
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    observed_generation: int = 0
    version: int = 0
    keys: tuple[str, ...] = ()
    last4: dict[str, str] = Field(default_factory=dict)


class Secret(Model):
    """A value that agents use by reference; private to its owner."""

    api_version: Literal["sac/v1"] = "sac/v1"
    kind: Literal["Secret"] = "Secret"
    metadata: Metadata
    spec: SecretSpec = SecretSpec()
    status: SecretStatus = SecretStatus()


def missing_key(type: SecretType, keys: Collection[str]) -> str | None:
    """The first key that a type needs and that is not there."""
    return next((key for key in _NEEDED.get(type, (DEFAULT_KEY,)) if key not in keys), None)


def check_form(form: SecretForm, values: Mapping[str, bytes]) -> None:
    """Raise `InvalidError`, which tells nothing of the value, when it has not the form of its type."""
    if set(values) != {DEFAULT_KEY}:
        raise InvalidError(f"a secret of this type has the key {DEFAULT_KEY!r} alone", field="spec.data")
    text = values[DEFAULT_KEY].decode("utf-8", "replace")
    if re.fullmatch(form.pattern, text) is None:
        hint = f"{form.advice}; there is no space and no line end in it"
        raise InvalidError("the value has not the form of its type", field=f"spec.data.{DEFAULT_KEY}", hint=hint)


def to_bytes(data: Mapping[str, str | Base64]) -> dict[str, bytes]:
    """The values as bytes; raises `InvalidError` that names the key, never what it holds."""
    values = {key: _bytes(key, value) for key, value in data.items()}
    if sum(map(len, values.values())) > LARGEST:
        raise InvalidError(f"the values have more than {LARGEST} bytes together", field="spec.data", reason="TooLarge")
    return values


def to_data(value: str | bytes | Mapping[str, str | bytes]) -> dict[str, Any]:
    """The wire form of values; one that is alone gets the key ``value``."""
    given = value if isinstance(value, Mapping) else {DEFAULT_KEY: value}
    return {key: each if isinstance(each, str) else _wrapped(each) for key, each in given.items()}


def last4(value: bytes) -> str:
    """What is shown of a value, so that people can tell two apart."""
    return hashlib.sha256(value).hexdigest()[-4:]


def _bytes(key: str, value: str | Base64) -> bytes:
    try:
        return value.encode() if isinstance(value, str) else base64.b64decode(value.base64, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidError("this is not base64, or not Unicode", field=f"spec.data.{key}") from None


def _wrapped(value: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(value).decode()}
