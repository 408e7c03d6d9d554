"""The records that plugins offer: what a thing is called, what it takes, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from sac_core.contracts.authenticator import Authenticator
from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.contracts.runtime import Runtime
from sac_core.contracts.stage import Stage
from sac_core.models.base import Model
from sac_core.models.secret import SecretForm

API = 1
"""The version of the contracts that this SAC speaks."""


class NoSettings(Model):
    """Settings or options of a plugin that has none; every key is refused."""


@dataclass(frozen=True, slots=True)
class ExecutorPlugin:
    """An executor. ``open(settings, context)`` yields it for one target, so it is called once for each of them.

    Settings that are secret are of type `SecretStr`. ``options`` is the model of ``spec.options``.
    ``isolated`` False is shown to users as *not a sandbox*.
    """

    name: str
    summary: str
    open: Callable[[Any, PluginContext], AbstractAsyncContextManager[Executor]]
    settings: type[BaseModel] = NoSettings
    options: type[BaseModel] = NoSettings
    isolated: bool = True
    api: int = API


@dataclass(frozen=True, slots=True)
class RuntimePlugin:
    """A runtime. ``make()`` returns it; it has no resources to close.

    ``secrets`` are the types of secrets that it brings, by name.
    """

    name: str
    summary: str
    make: Callable[[], Runtime]
    options: type[BaseModel] = NoSettings
    secrets: Mapping[str, SecretForm] = field(default_factory=dict)
    api: int = API


@dataclass(frozen=True, slots=True)
class AuthenticatorPlugin:
    """An authenticator. ``open(settings, context)`` yields it."""

    name: str
    summary: str
    open: Callable[[Any, PluginContext], AbstractAsyncContextManager[Authenticator]]
    settings: type[BaseModel] = NoSettings
    api: int = API


@dataclass(frozen=True, slots=True)
class StagePlugin:
    """A stage, which sees the bytes of sessions. ``open(settings, context)`` yields it."""

    name: str
    summary: str
    open: Callable[[Any, PluginContext], AbstractAsyncContextManager[Stage]]
    settings: type[BaseModel] = NoSettings
    api: int = API


Offer = ExecutorPlugin | RuntimePlugin | AuthenticatorPlugin | StagePlugin
