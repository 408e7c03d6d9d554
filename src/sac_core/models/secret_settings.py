"""Settings of plugins that are secrets themselves: those of type `SecretStr`, alone or in models.

They are kept sealed, and never shown. A list or a mapping with a secret somewhere in it is one secret as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, RootModel, Secret, SecretBytes, SecretStr
from pydantic_core import to_jsonable_python

_SECRETS = (SecretStr, SecretBytes, Secret)


def parted(settings: BaseModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was given of settings, in wire form without the secret ones; and those, by their path: ``tls.key``."""
    secrets = dict(_secrets(settings, ()))
    plain = settings.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    for path in secrets:
        _without(plain, path)
    return plain, {".".join(path): value for path, value in secrets.items()}


def joined(plain: Mapping[str, Any], secrets: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with secret ones at their paths, but for what is given already, or was in what is not given."""
    whole = _copied(plain)
    for path, value in secrets.items():
        *parents, last = path.split(".")
        place: Any = whole
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.setdefault(last, value)
    return whole


def _secrets(settings: BaseModel, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in _given(settings):
        if isinstance(value, BaseModel) and not isinstance(value, RootModel):
            yield from _secrets(value, (*path, name))
        elif _hides(value):
            yield (*path, name), _shown(value)


def _given(settings: BaseModel) -> Iterator[tuple[str, Any]]:
    """What was given, by its name on the wire."""
    for name, field in type(settings).model_fields.items():
        if name in settings.model_fields_set and (value := getattr(settings, name)) is not None:
            yield field.serialization_alias or field.alias or name, value


def _hides(value: object) -> bool:
    """Whether there is a secret in it."""
    return isinstance(value, _SECRETS) or any(map(_hides, _inside(value)))


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, BaseModel):
        return (each for _, each in _given(value))
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple | set | frozenset) else ()


def _shown(value: Any) -> Any:
    """The wire form, secrets as they are."""
    if isinstance(value, _SECRETS):
        return to_jsonable_python(value.get_secret_value())
    if isinstance(value, RootModel):
        return _shown(value.root)
    if isinstance(value, BaseModel):
        return {name: _shown(each) for name, each in _given(value)}
    if isinstance(value, Mapping):
        return {to_jsonable_python(key): _shown(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(each) for each in value]
    return to_jsonable_python(value)


def _without(tree: dict[str, Any], path: tuple[str, ...]) -> None:
    for part in path[:-1]:
        tree = tree.get(part, {})
    tree.pop(path[-1], None)


def _copied(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, Mapping) else value for key, value in tree.items()}
