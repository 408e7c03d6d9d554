"""What is installed, as `sac plugins` and the console's forms show it."""

from __future__ import annotations

from collections.abc import Mapping

from sac_core.contracts.sac import PluginInfo
from sac_core.hooks.records import NoSettings, Offer
from sac_core.hooks.registry import Origin, Registry
from sac_core.models.placement import DEFAULT_TARGET
from sac_core.service.stages import Stages
from sac_core.service.targets import Targets


def describe(registry: Registry, targets: Targets, stages: Stages) -> tuple[PluginInfo, ...]:
    """Every offer and every failure, by family and name."""
    executors = {at.executor: why for at, why in targets.failed.items() if at.target == DEFAULT_TARGET}
    unopened: Mapping[str, Mapping[str, str]] = {"executor": executors, "stage": stages.failed}
    found = [
        _offer(registry, family, offer, unopened.get(family, {}).get(name)) for family, name, offer in registry.offers()
    ]
    told = [_listener(registry, origin) for origin in registry.listening()]
    failed = [
        PluginInfo(
            name=failure.name,
            family=failure.family,
            distribution=failure.origin.distribution,
            version=failure.origin.version,
            state="failed",
            message=failure.message,
        )
        for failure in registry.failures
    ]
    return tuple(sorted((*found, *told, *failed), key=lambda plugin: (plugin.family, plugin.name)))


def _offer(registry: Registry, family: str, offer: Offer, why: str | None) -> PluginInfo:
    origin = registry.origins.get((family, offer.name))
    why = why or registry.troubles.failure(family, offer.name)
    trouble = registry.troubles.told(family, offer.name)
    settings, options = getattr(offer, "settings", NoSettings), getattr(offer, "options", NoSettings)
    return PluginInfo(
        name=offer.name,
        family=family,
        summary=offer.summary,
        distribution=origin.distribution if origin else "",
        version=origin.version if origin else "",
        state="failed" if why else "troubled" if trouble else "loaded",
        message=why or trouble,
        settings=settings.model_json_schema(),
        options=options.model_json_schema(),
        isolated=getattr(offer, "isolated", None),
    )


def _listener(registry: Registry, origin: Origin) -> PluginInfo:
    """A plugin that is told of events, whatever else it offers."""
    trouble = registry.troubles.told("listener", origin.plugin)
    return PluginInfo(
        name=origin.plugin,
        family="listener",
        summary="Is told of events",
        distribution=origin.distribution,
        version=origin.version,
        state="troubled" if trouble else "loaded",
        message=trouble,
    )
