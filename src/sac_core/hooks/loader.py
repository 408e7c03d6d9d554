"""Finds plugins one by one, so that a broken one is a recorded failure and stops nothing but itself."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from sac_core.errors import ConfigurationError
from sac_core.hooks.offers import OFFERS, fault_of, listeners_of, name_of, offers_of
from sac_core.hooks.registry import Failure, Listener, Origin, Registry

log = logging.getLogger("sac.plugins")

GROUP = "sac"
"""The group of entry points that plugins are found by."""


@dataclass(slots=True)
class _Found:
    offers: dict[tuple[str, str], tuple[Any, Origin]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    listeners: dict[str, list[Listener]] = field(default_factory=dict)

    def add(self, family: str, offer: Any, origin: Origin) -> None:
        name = name_of(offer)
        fault = fault_of(offer)
        refused = {failure.name for failure in self.failures if failure.family == family}
        if fault is not None:
            self.failures.append(Failure(name, family, origin, fault))
        elif (family, name) in self.offers or name in refused:
            self._clash(family, name, origin)
        else:
            self.offers[family, name] = (offer, origin)

    def _clash(self, family: str, name: str, origin: Origin) -> None:
        _, other = self.offers.pop((family, name), (None, origin))
        message = f"offered by {other} and by {origin}: neither is used; uninstall one of them"
        self.failures.append(Failure(name, family, origin, message))


def load(*, required: Iterable[str] = (), extra: Iterable[tuple[str, object]] = ()) -> Registry:
    """The registry of all installed plugins and the ``extra`` modules or objects (name, plugin).

    A broken plugin becomes a `Failure`; raises `ConfigurationError` only when a name in ``required`` is not usable.
    """
    found = _Found()
    for origin, get in _candidates(extra):
        with _what_it_prints(origin):
            _register(found, origin, get)
    registry = _registry(found)
    _check_required(registry, required)
    return registry


def _candidates(extra: Iterable[tuple[str, object]]) -> Iterator[tuple[Origin, Callable[[], object]]]:
    for point in entry_points(group=GROUP):
        yield _origin(point), point.load
    for name, plugin in extra:
        yield Origin(name), lambda plugin=plugin: plugin  # type: ignore[misc]


def _origin(point: EntryPoint) -> Origin:
    distribution = point.dist
    if distribution is None:
        return Origin(point.name)
    return Origin(point.name, distribution.name, distribution.version)


@contextmanager
def _what_it_prints(origin: Origin) -> Iterator[None]:
    """Keep a plugin's prints out of the output of `sac`, which programs read; they are logged."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        yield
    for line in printed.getvalue().splitlines()[:20]:
        log.warning("plugin %s prints at its import: %s", origin, line[:500])


def _register(found: _Found, origin: Origin, get: Callable[[], object]) -> None:
    try:
        plugin = get()
        offers = offers_of(plugin)
        listeners = listeners_of(plugin)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may raise anything, SystemExit too, and must not take the host with it
        found.failures.append(Failure(origin.plugin, "plugin", origin, f"{type(error).__name__}: {error}"))
        return
    for family, offer in offers:
        found.add(family, offer, origin)
    for hook, told in listeners:
        found.listeners.setdefault(hook, []).append(Listener(origin, told))


def _registry(found: _Found) -> Registry:
    families: dict[str, dict[str, Any]] = {family: {} for family, _ in OFFERS.values()}
    for (family, name), (offer, _) in found.offers.items():
        families[family][name] = offer
    return Registry(
        executors=families["executor"],
        runtimes=families["runtime"],
        authenticators=families["authenticator"],
        stages=families["stage"],
        kinds=families["kind"],
        origins={key: origin for key, (_, origin) in found.offers.items()},
        failures=tuple(found.failures),
        listeners={hook: tuple(listeners) for hook, listeners in found.listeners.items()},
    )


def _check_required(registry: Registry, required: Iterable[str]) -> None:
    offers = (registry.executors, registry.runtimes, registry.authenticators, registry.stages, registry.kinds)
    usable = {name for family in offers for name in family}
    for name in required:
        if name in usable:
            continue
        why = next((f.message for f in registry.failures if f.name == name), "it is not installed")
        raise ConfigurationError(f"plugin {name!r} is needed and not usable: {why}", hint="see: sac plugins")
