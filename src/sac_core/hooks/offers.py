"""What one plugin offers, looked at closely: nothing of it is used before."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pluggy
from pydantic import BaseModel, TypeAdapter, ValidationError

from sac_core.errors import ConfigurationError
from sac_core.hooks.records import API, AuthenticatorPlugin, ExecutorPlugin, RuntimePlugin, StagePlugin
from sac_core.hooks.specs import FAMILIES
from sac_core.models.kind import Kind
from sac_core.models.names import Name

PROJECT = "sac"
OFFERS: dict[str, tuple[str, type[Any]]] = {
    "sac_executors": ("executor", ExecutorPlugin),
    "sac_runtimes": ("runtime", RuntimePlugin),
    "sac_authenticators": ("authenticator", AuthenticatorPlugin),
    "sac_session_stages": ("stage", StagePlugin),
    "sac_kinds": ("kind", Kind),
}
"""Family and record by the hook that offers them."""
LISTENERS = ("sac_agent_event", "sac_session_event")
"""The hooks that are told."""

_NAME: TypeAdapter[str] = TypeAdapter(Name)


def new_manager() -> pluggy.PluginManager:
    """A plugin manager that knows our hooks."""
    manager = pluggy.PluginManager(PROJECT)
    for family in FAMILIES:
        manager.add_hookspecs(family)
    return manager


def hooks_of(plugin: object) -> Iterator[str]:
    """The names of all functions of a plugin that are marked as hooks of ours."""
    manager = new_manager()
    for name in dir(plugin):
        if name.startswith("sac_") and manager.parse_hookimpl_opts(plugin, name) is not None:
            yield name


def async_hooks(plugin: object) -> list[str]:
    """Its hooks that are async, and would never run."""
    hooks = ((name, getattr(plugin, name)) for name in hooks_of(plugin))
    return [name for name, hook in hooks if inspect.iscoroutinefunction(hook) or inspect.isasyncgenfunction(hook)]


def offers_of(plugin: object) -> list[tuple[str, Any]]:
    """Family and record of all that a plugin offers.

    Raises `ConfigurationError` for an async hook and for what is no record of ours, and whatever a hook raises.
    """
    for name in async_hooks(plugin):
        raise ConfigurationError(f"hook {name} is async; hooks are plain functions that only offer or are told")
    manager = new_manager()
    manager.register(plugin)
    manager.check_pending()
    return [(family, offer) for hook, (family, cls) in OFFERS.items() for offer in _ask(plugin, hook, cls)]


def _ask(plugin: object, hook: str, cls: type[Any]) -> list[Any]:
    if hook not in hooks_of(plugin):
        return []
    offers = list(getattr(plugin, hook)())
    for offer in offers:
        if not isinstance(offer, cls):
            raise ConfigurationError(f"{hook} offered a {type(offer).__name__}, not a {cls.__name__}")
    return offers


def listeners_of(plugin: object) -> list[tuple[str, Callable[[object], object]]]:
    """The hooks by which a plugin is told of something, each to be called with the event."""
    return [(hook, _told(getattr(plugin, hook))) for hook in hooks_of(plugin) if hook in LISTENERS]


def _told(hook: Callable[..., object]) -> Callable[[object], object]:
    """As pluggy calls it: with the event by its name, or with nothing when the hook takes nothing."""
    takes = "event" in inspect.signature(hook).parameters
    return (lambda event: hook(event=event)) if takes else (lambda event: hook())


def name_of(offer: Any) -> str:
    """What a record is called, as far as it says."""
    return str(offer.plural if isinstance(offer, Kind) else offer.name)


def fault_of(offer: Any) -> str | None:
    """Why a record cannot be used; None when it can."""
    api = getattr(offer, "api", API)
    if api != API:
        return f"it was made for version {api} of the contracts, this is {API}"
    try:
        _NAME.validate_python(name_of(offer))
    except ValidationError as error:
        return error.errors()[0]["msg"].removeprefix("Value error, ")
    return next(_faults_of_models(offer), None)


def _faults_of_models(offer: Any) -> Iterator[str]:
    for kind in ("settings", "options"):
        model = getattr(offer, kind, None)
        if model is None:
            continue
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            yield f"its {kind} are no pydantic model"
            continue
        try:
            model.model_json_schema()
        except Exception as error:  # a field may be of any class of the plugin's, and say anything of it
            yield f"its {kind} have no JSON schema: {error}"
