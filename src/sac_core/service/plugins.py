"""What is installed, as `sac plugins` and the console's forms show it."""

from __future__ import annotations

from collections.abc import Mapping

from sac_core.contracts.sac import PluginInfo
from sac_core.hooks.records import NoSettings, Offer
from sac_core.hooks.registry import Origin, Registry
from sac_core.service.stages import Stages
from sac_core.service.targets import Targets


def describe(registry: Registry, targets: Targets, stages: Stages) -> tuple[PluginInfo, ...]:
    """Every offer and every failure, by family and name."""
    families: Mapping[str, Mapping[str, Offer]] = {
        "executor": registry.executors,
        "runtime": registry.runtimes,
        "authenticator": registry.authenticators,
        "stage": registry.stages,
    }
    unopened: Mapping[str, Mapping[str, str]] = {"executor": targets.failed, "stage": stages.failed}
    found = [
        _offer(family, offer, registry.origins.get((family, name)), unopened.get(family, {}).get(name))
        for family, offers in families.items()
        for name, offer in offers.items()
    ]
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
    return tuple(sorted((*found, *failed), key=lambda plugin: (plugin.family, plugin.name)))


def _offer(family: str, offer: Offer, origin: Origin | None, why: str | None) -> PluginInfo:
    settings, options = getattr(offer, "settings", NoSettings), getattr(offer, "options", NoSettings)
    return PluginInfo(
        name=offer.name,
        family=family,
        summary=offer.summary,
        distribution=origin.distribution if origin else "",
        version=origin.version if origin else "",
        state="failed" if why else "loaded",
        message=why or "",
        settings=settings.model_json_schema(),
        options=options.model_json_schema(),
        isolated=getattr(offer, "isolated", None),
    )
