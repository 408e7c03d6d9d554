"""A pod of SAC's with what a template adds: SAC's own is put in last, and wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sac_executor_kubernetes.isolation import container_security
from sac_executor_kubernetes.naming import CONTAINER
from sac_executor_kubernetes.settings import KubernetesOptions
from sac_executor_kubernetes.templates.template import PodTemplate

Object = dict[str, Any]
_SMALL: Mapping[str, Mapping[str, str]] = {
    "requests": {"cpu": "10m", "memory": "32Mi", "ephemeral-storage": "16Mi"},
    "limits": {"cpu": "500m", "memory": "256Mi", "ephemeral-storage": "1Gi"},
}
"""Of containers that say nothing: none is without limits."""
_PLACING = ("nodeSelector", "tolerations")
_CONTAINERS = ("volumes", "initContainers", "containers")


def merged_spec(own: Object, template: PodTemplate, options: KubernetesOptions, *, strict: bool) -> Object:
    """The spec of a pod. Whatever is given twice is SAC's."""
    given = template.spec.to_wire()
    (agent,) = own["containers"]
    named = {each["name"]: each for each in given["containers"]}
    others = [_beside(each, strict) for name, each in named.items() if name != CONTAINER]
    spec = {name: value for name, value in given.items() if name not in (*_PLACING, *_CONTAINERS)}
    spec |= own
    spec["containers"] = [_agents(agent, named.get(CONTAINER, {})), *others]
    spec["volumes"] = [*own["volumes"], *given["volumes"]]
    spec |= _filled("initContainers", [_beside(each, strict) for each in given["initContainers"]])
    spec |= _filled("nodeSelector", {**options.node_selector, **given["nodeSelector"]})
    tolerations = [*given["tolerations"], *options.to_wire()["tolerations"]]
    spec["tolerations"] = [*_unless_told(own["tolerations"], given["tolerations"]), *tolerations]
    return spec | ({"runtimeClassName": options.runtime_class} if options.runtime_class else {})


def merged_metadata(labels: Mapping[str, str], template: PodTemplate, options: KubernetesOptions) -> Object:
    """Labels and annotations of a pod."""
    annotations = {**options.annotations, **template.metadata.annotations}
    return {"labels": {**template.metadata.labels, **labels}, **_filled("annotations", annotations)}


def _agents(own: Object, given: Object) -> Object:
    """The agent's container."""
    lists = {name: [*own[name], *given.get(name, ())] for name in ("env", "volumeMounts")}
    return {**given, **own, **lists}


def _beside(given: Object, strict: bool) -> Object:
    """A side or an init container, kept in like the agent's."""
    user = given.get("securityContext", {})
    amounts = given.get("resources", {})
    return {
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **given,
        "resources": {part: {**small, **amounts.get(part, {})} for part, small in _SMALL.items()},
        "securityContext": {**user, **container_security(strict or user.get("readOnlyRootFilesystem", False))},
    }


def _unless_told(patience: Sequence[Object], given: Sequence[Object]) -> list[Object]:
    """How long SAC waits for nodes, unless the template says it."""
    told = {each.get("key") for each in given}
    return [each for each in patience if each["key"] not in told]


def _filled(field: str, value: Any) -> Object:
    return {field: value} if value else {}
