"""Opens what plugins offer. One that cannot be opened is known with its reason, unless it is configured for use."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from sac_core.contracts.authenticator import Authenticator
from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.contracts.stage import Stage
from sac_core.contracts.store import Store
from sac_core.errors import ConfigurationError
from sac_core.hooks.records import AuthenticatorPlugin, ExecutorPlugin
from sac_core.hooks.registry import Registry
from sac_core.models.base import parse
from sac_core.service.recording.recorder import NAME
from sac_core.service.targets import Target, Targets
from sac_core.settings import Settings

log = logging.getLogger("sac.plugins")


async def open_targets(
    stack: AsyncExitStack, registry: Registry, settings: Settings, store: Store, folder: Path
) -> Targets:
    """All executors, opened."""
    opened: dict[str, Target] = {}
    failed: dict[str, str] = {}
    for plugin in registry.executors.values():
        try:
            executor = await _open_executor(stack, plugin, settings, store, folder)
            can = (await executor.probe()).capabilities
        except Exception as error:
            _refuse(plugin.name, error, needed={settings.default_executor, *settings.plugins})
            failed[plugin.name] = str(error) or type(error).__name__
        else:
            opened[plugin.name] = Target(plugin.name, executor, plugin.isolated, "watch" in can, "files" in can)
    return Targets(opened, failed)


async def open_authenticators(
    stack: AsyncExitStack,
    registry: Registry,
    settings: Settings,
    store: Store,
    folder: Path,
    tokens: Sequence[SecretStr],
) -> tuple[Authenticator, ...]:
    """All authenticators, opened; the local one gets the data directory's tokens."""
    found: list[Authenticator] = []
    for plugin in registry.authenticators.values():
        given = dict(settings.plugins.get(plugin.name, {}))
        if plugin.name == "token":
            given["tokens"] = [*given.get("tokens", ()), *tokens]
        try:
            found.append(await _open_authenticator(stack, plugin, given, store, folder))
        except Exception as error:
            # one authenticator less must not open a door, but it must not close all others either
            _refuse(plugin.name, error, needed=set(settings.plugins) | {"token"})
    return tuple(found)


async def open_plugged_stages(
    stack: AsyncExitStack, registry: Registry, settings: Settings, store: Store, folder: Path
) -> tuple[dict[str, Stage], dict[str, str]]:
    """All stages, opened, and why others could not be."""
    opened: dict[str, Stage] = {}
    failed: dict[str, str] = {}
    for plugin in registry.stages.values():
        try:
            own = _settings(plugin.settings, plugin.name, settings.plugins.get(plugin.name, {}))
            context = _context("stages", plugin.name, store, folder)
            opened[plugin.name] = await stack.enter_async_context(plugin.open(own, context))
        except Exception as error:
            _refuse(plugin.name, error, needed=needed_stages(settings) | set(settings.plugins))
            failed[plugin.name] = str(error) or type(error).__name__
    return opened, failed


def needed_stages(settings: Settings) -> set[str]:
    """The stages without which SAC does not start."""
    return set() if settings.recording == "off" else {NAME}


async def _open_executor(
    stack: AsyncExitStack, plugin: ExecutorPlugin, settings: Settings, store: Store, folder: Path
) -> Executor:
    own = _settings(plugin.settings, plugin.name, settings.plugins.get(plugin.name, {}))
    return await stack.enter_async_context(plugin.open(own, _context("executors", plugin.name, store, folder)))


async def _open_authenticator(
    stack: AsyncExitStack, plugin: AuthenticatorPlugin, given: dict[str, Any], store: Store, folder: Path
) -> Authenticator:
    own = _settings(plugin.settings, plugin.name, given)
    return await stack.enter_async_context(plugin.open(own, _context("auth", plugin.name, store, folder)))


def _settings(model: type[BaseModel], name: str, given: dict[str, Any]) -> BaseModel:
    return parse(model, given, field=f"plugins.{name}")


def _context(family: str, name: str, store: Store, folder: Path) -> PluginContext:
    own = folder / family / name
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    return PluginContext(owner=store.installation, folder=own, state=store.state(f"{family}/{name}"))


def _refuse(name: str, error: Exception, *, needed: set[str]) -> None:
    if name in needed:
        raise ConfigurationError(f"plugin {name!r} is needed and cannot be opened: {error}", hint="see: sac plugins")
    log.warning("plugin %s cannot be opened: %s", name, error)
