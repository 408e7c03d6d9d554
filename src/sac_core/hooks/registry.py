"""What was found: the offers by family and name, and the failures. Made by the loader, never a global."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from sac_core.errors import InvalidError
from sac_core.hooks.records import AuthenticatorPlugin, ExecutorPlugin, Offer, RuntimePlugin, StagePlugin
from sac_core.hooks.troubles import Troubles
from sac_core.models.kind import Kind
from sac_core.models.secret import OWN_TYPES, SecretForm

log = logging.getLogger("sac.plugins")

R = TypeVar("R", bound=Offer)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a plugin came from: the entry point's name, its distribution and version."""

    plugin: str
    distribution: str = ""
    version: str = ""

    def __str__(self) -> str:
        return f"{self.distribution or self.plugin} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Failure:
    """A plugin, or one of its offers, that is not used, and why."""

    name: str
    family: str
    origin: Origin
    message: str


class Listener(NamedTuple):
    """A hook of one plugin that is told of something."""

    origin: Origin
    told: Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Registry:
    """The plugins of one SAC."""

    executors: Mapping[str, ExecutorPlugin] = field(default_factory=dict)
    runtimes: Mapping[str, RuntimePlugin] = field(default_factory=dict)
    authenticators: Mapping[str, AuthenticatorPlugin] = field(default_factory=dict)
    stages: Mapping[str, StagePlugin] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    origins: Mapping[tuple[str, str], Origin] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    listeners: Mapping[str, tuple[Listener, ...]] = field(default_factory=dict)
    troubles: Troubles = field(default_factory=Troubles)

    @property
    def told(self) -> frozenset[str]:
        """The event hooks that some plugin implements."""
        return frozenset(self.listeners)

    def executor(self, name: str) -> ExecutorPlugin:
        """The executor of that name; raises `InvalidError` that lists what is there."""
        return self._find(self.executors, "executor", name)

    def runtime(self, name: str) -> RuntimePlugin:
        """The runtime of that name; raises `InvalidError` that lists what is there."""
        return self._find(self.runtimes, "runtime", name)

    def secret_form(self, type: str) -> SecretForm | None:
        """What a type of secret that a runtime brings asks of its value; None for SAC's own types.

        Raises `InvalidError` that lists what is there.
        """
        forms = {name: form for runtime in self.runtimes.values() for name, form in runtime.secrets.items()}
        if type in OWN_TYPES or type in forms:
            return forms.get(type)
        known = ", ".join((*OWN_TYPES, *sorted(forms)))
        raise InvalidError(f"there is no type {type!r} of secrets", field="spec.type", hint=f"known here: {known}")

    def tell(self, hook: str, event: object) -> None:
        """Tell listeners after the fact; what one raises is logged, and stops neither the others nor us."""
        for origin, told in self.listeners.get(hook, ()):
            try:
                told(event)
            except (Exception, SystemExit) as error:
                log.error("plugin %s failed in %s", origin, hook, exc_info=error)
                self.troubles.note("listener", origin.plugin, f"{hook} raised {type(error).__name__}")

    def listening(self) -> list[Origin]:
        """Those that are told of events, each once."""
        return list(dict.fromkeys(listener.origin for each in self.listeners.values() for listener in each))

    def offers(self) -> Iterator[tuple[str, str, Offer]]:
        """Family, name and record of all that may be opened or made."""
        families: dict[str, Mapping[str, Offer]] = {
            "executor": self.executors,
            "runtime": self.runtimes,
            "authenticator": self.authenticators,
            "stage": self.stages,
        }
        for family, offers in families.items():
            for name, offer in offers.items():
                yield family, name, offer

    def _find(self, offers: Mapping[str, R], family: str, name: str) -> R:
        if name in offers:
            return offers[name]
        failed = next((f for f in self.failures if f.name == name and f.family == family), None)
        if failed is not None:
            raise InvalidError(
                f"{family} {name!r} is not usable: {failed.message}", field=f"spec.{family}", hint="see: sac plugins"
            )
        known = ", ".join(sorted(offers)) or "none"
        raise InvalidError(
            f"there is no {family} {name!r}",
            field=f"spec.{family}",
            hint=f"installed: {known}; others are distributions named sac-{_FAMILY.get(family, family)}-<name>",
        )


_FAMILY = {"runtime": "agent"}
