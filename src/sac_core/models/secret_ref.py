"""Options of plugins that are secrets: the option has a secret's name, the value comes beside the launch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, core_schema

from sac_core.models.names import Name
from sac_core.models.secret import SecretKey

FORMAT = "sac-secret"
"""The ``format`` in JSON schema by which forms know such an option, and offer the names of secrets for it."""

_NAME: TypeAdapter[str] = TypeAdapter(Name)
_KEY: TypeAdapter[str] = TypeAdapter(SecretKey)


class SecretRef(str):
    """The type of an option that refers to a secret: ``name``, or ``name/key`` where it has several values.

    Whoever gives it must own the secret. The value is in `Secrets.options` of ``ensure``, under the option's path, and
    nowhere else.
    """

    @property
    def secret(self) -> str:
        """The secret's name."""
        return self.partition("/")[0]

    @property
    def key(self) -> str | None:
        """Which of its values."""
        return self.partition("/")[2] or None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls._checked, core_schema.str_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": FORMAT}

    @classmethod
    def _checked(cls, value: str) -> SecretRef:
        name, sign, key = value.partition("/")
        _NAME.validate_python(name)
        if sign:
            _KEY.validate_python(key)
        return cls(value)


def secret_refs(options: BaseModel) -> dict[str, SecretRef]:
    """The references in options, by their path on the wire: ``registry.password``."""
    return dict(_refs(options, ""))


def _refs(value: object, path: str) -> Iterator[tuple[str, SecretRef]]:
    if isinstance(value, SecretRef):
        yield path, value
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _refs(getattr(value, name), _below(path, field.serialization_alias or field.alias or name))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _refs(each, _below(path, str(key)))
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _refs(each, _below(path, str(number)))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
