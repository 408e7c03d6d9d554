"""Settings of plugins that are secrets themselves: those of type `SecretStr`, or with one in a list or a mapping.

They are kept sealed, and never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, SecretStr


def parted(settings: BaseModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was given of settings, in wire form without the secret ones; and those, by their path: ``tls.key``."""
    secrets = dict(_secrets(settings, ()))
    plain = settings.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    for path in secrets:
        _without(plain, path)
    return plain, {".".join(path): value for path, value in secrets.items()}


def joined(plain: Mapping[str, Any], secrets: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with secret ones at their paths, but for what is given already."""
    whole = _copied(plain)
    for path, value in secrets.items():
        *parents, last = path.split(".")
        place: Any = whole
        for parent in parents:
            place = place.setdefault(parent, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.setdefault(last, value)
    return whole


def _secrets(settings: BaseModel, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, field in type(settings).model_fields.items():
        here = (*path, field.serialization_alias or field.alias or name)
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from _secrets(value, here)
        elif name in settings.model_fields_set and _hides(value):
            yield here, _shown(value)


def _hides(value: object) -> bool:
    """Whether there is a secret in it."""
    if isinstance(value, Mapping):
        return any(map(_hides, value.values()))
    return isinstance(value, SecretStr) or (isinstance(value, list | tuple) and any(map(_hides, value)))


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _shown(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _without(tree: dict[str, Any], path: tuple[str, ...]) -> None:
    for part in path[:-1]:
        tree = tree.get(part, {})
    tree.pop(path[-1], None)


def _copied(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, Mapping) else value for key, value in tree.items()}
