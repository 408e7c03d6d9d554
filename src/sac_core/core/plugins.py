"""Opens what plugins offer, all at the same time. One that cannot be opened is known with its reason.

It stops nothing but itself, unless it is configured for use.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr

from sac_core.contracts.authenticator import Authenticator
from sac_core.contracts.context import PluginContext
from sac_core.contracts.executor import Executor
from sac_core.contracts.stage import Stage
from sac_core.contracts.store import Store
from sac_core.core.guard import GuardedAuthenticator, GuardedExecutor
from sac_core.core.hosting import Hosted, Hosting, in_words
from sac_core.core.stage_guard import GuardedStage
from sac_core.core.standard import named_executor
from sac_core.errors import ConfigurationError
from sac_core.hooks.records import AuthenticatorPlugin, ExecutorPlugin, StagePlugin
from sac_core.hooks.registry import Registry
from sac_core.models.base import parse
from sac_core.models.placement import Placement
from sac_core.service.recording.recorder import NAME
from sac_core.service.targets import Target, Targets
from sac_core.settings import Settings

T = TypeVar("T")

_FOLDERS = {"executor": "executors", "authenticator": "auth", "stage": "stages"}


def needed_stages(settings: Settings) -> set[str]:
    """The stages without which SAC does not start."""
    return set() if settings.recording == "off" else {NAME}


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens plugins with their settings and a context of their own."""

    hosting: Hosting
    registry: Registry
    settings: Settings
    store: Store
    folder: Path

    async def targets(self) -> Targets:
        """All executors, opened, each for its default target."""
        opened: dict[Placement, Target] = {}
        hosted: list[Hosted[Executor]] = self._begin("executor", self.registry.executors, Executor)
        needed = {named_executor(self.settings)}
        for name, executor in (await self._opened(hosted, needed=needed)).items():
            guarded = GuardedExecutor(name, executor, self.registry.troubles)
            try:
                probe = await guarded.probe()
            except Exception as error:
                self._refuse("executor", name, error, needed=needed)
            else:
                target = self._target(name, guarded)
                target.learn(probe)
                opened[target.at] = target
        failed = {name: self.registry.troubles.failure("executor", name) for name in self.registry.executors}
        return Targets(opened, {Placement(name): why for name, why in failed.items() if why})

    def _target(self, name: str, executor: Executor) -> Target:
        needed = name in {self.settings.default_executor, *self.settings.plugins}
        return Target(Placement(name), executor, self.registry.executors[name].isolated, needed=needed)

    async def authenticators(self, tokens: Sequence[SecretStr]) -> tuple[Authenticator, ...]:
        """All authenticators, opened; the local one gets the data directory's tokens.

        One less must not open a door, but it must not close all others either.
        """
        own = {"token": {"tokens": [*self.settings.plugins.get("token", {}).get("tokens", ()), *tokens]}}
        hosted: list[Hosted[Authenticator]]
        hosted = self._begin("authenticator", self.registry.authenticators, Authenticator, own)
        opened = await self._opened(hosted, needed={"token"})
        return tuple(GuardedAuthenticator(name, each, self.registry.troubles) for name, each in opened.items())

    async def stages(self) -> tuple[dict[str, Stage], dict[str, str]]:
        """All stages, opened, and why others could not be."""
        hosted: list[Hosted[Stage]] = self._begin("stage", self.registry.stages, Stage)
        opened = await self._opened(hosted, needed=needed_stages(self.settings))
        failed = {name: self.registry.troubles.failure("stage", name) for name in self.registry.stages}
        guarded: dict[str, Stage] = {
            name: GuardedStage(name, each, self.registry.troubles) for name, each in opened.items()
        }
        return guarded, {name: why for name, why in failed.items() if why}

    def _begin(
        self,
        family: str,
        offers: Mapping[str, ExecutorPlugin | AuthenticatorPlugin | StagePlugin],
        kind: type[Any],
        own: Mapping[str, dict[str, Any]] | None = None,
    ) -> list[Hosted[Any]]:
        return [self._host(family, offer, kind, (own or {}).get(name)) for name, offer in offers.items()]

    def _host(
        self,
        family: str,
        offer: ExecutorPlugin | AuthenticatorPlugin | StagePlugin,
        kind: type[Any],
        own: dict[str, Any] | None,
    ) -> Hosted[Any]:
        def make() -> Any:
            given = {**self.settings.plugins.get(offer.name, {}), **(own or {})}
            settings = parse(offer.settings, given, field=f"plugins.{offer.name}")
            return offer.open(settings, self.context(family, offer.name))

        return self.hosting.host(family, offer.name, make, kind, self.registry.troubles)

    def context(self, family: str, name: str) -> PluginContext:
        """What a plugin, or an executor for one of its targets, may use of SAC."""
        folder = _FOLDERS[family]
        own = self.folder / folder / name
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        return PluginContext(owner=self.store.installation, folder=own, state=self.store.state(f"{folder}/{name}"))

    async def _opened(self, hosted: Sequence[Hosted[T]], *, needed: Collection[str]) -> dict[str, T]:
        """By name, those that opened in time."""
        found: dict[str, T] = {}
        for each in hosted:
            try:
                found[each.name] = await each.opened()
            except Exception as error:
                self._refuse(each.family, each.name, error, needed=needed)
        return found

    def _refuse(self, family: str, name: str, error: Exception, *, needed: Collection[str]) -> None:
        why = in_words(error)
        if name in {*needed, *self.settings.plugins}:
            raise ConfigurationError(f"plugin {name!r} is needed and cannot be opened: {why}", hint="see: sac plugins")
        self.registry.troubles.fail(family, name, why)
