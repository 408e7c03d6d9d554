"""Whether a pod keeps its agent in, field by field: the last look before it goes to the cluster.

It knows nothing of how the pod was made, so that a mistake there does not pass here. What it does not know is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sac_core.errors import LaunchError
from sac_executor_kubernetes.naming import CONTAINER
from sac_executor_kubernetes.templates.reserved import OWN_VOLUMES, PRIVATE_VOLUMES, annotation_fault, mount_fault

Found = Mapping[str, Any]


class Breach(NamedTuple):
    """A field that would let the agent out, and what should be there."""

    field: str
    wanted: str


_EXACTLY: Found = {
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "hostNetwork": False,
    "hostPID": False,
    "hostIPC": False,
    "shareProcessNamespace": False,
    "restartPolicy": "Always",
    "hostname": "sac",
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}
_POD = {
    *("serviceAccountName", "hostUsers", "runtimeClassName", "priorityClassName", "imagePullSecrets"),
    *("terminationGracePeriodSeconds", "tolerations", "nodeSelector", "affinity", "topologySpreadConstraints"),
    *("schedulerName", "dnsPolicy", "dnsConfig", "hostAliases", "volumes", "initContainers", "containers"),
}
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_CONTAINER = {
    *("name", "image", "imagePullPolicy", "command", "args", "workingDir", "env", "envFrom", "ports", "resources"),
    *("volumeMounts", "securityContext", "restartPolicy", "terminationMessagePolicy", *_PROBES),
}
_SECURITY: Found = {
    "privileged": False,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "procMount": "Default",
}
_SOURCES = ("configMap", "emptyDir", "persistentVolumeClaim", "downwardAPI", "projected")
_PROJECTED = {"configMap", "downwardAPI"}
_VALUES = {"fieldRef", "resourceFieldRef", "configMapKeyRef"}
_AMOUNTS = {"cpu", "memory", "ephemeral-storage"}


def check_pod(template: Found, *, strict: bool) -> None:
    """Raise `LaunchError` for the first field that breaks the rules."""
    for breach in _breaches(template["metadata"], template["spec"], strict):
        hint = "change the target's podTemplate"
        message = f"the pod would not keep the agent in: {breach.wanted}"
        raise LaunchError(message, reason="Forbidden", field=f"podTemplate.{breach.field}", hint=hint)


def _breaches(metadata: Found, spec: Found, strict: bool) -> Iterator[Breach]:
    for name in metadata.get("annotations", {}):
        if message := annotation_fault(name):
            yield Breach(f"metadata.annotations.{name}", message)
    for name, value in _EXACTLY.items():
        if spec.get(name) != value:
            yield Breach(f"spec.{name}", f"it must be {value}")
    yield from _unknown("spec", spec, {*_POD, *_EXACTLY})
    if spec.get("hostUsers") not in (None, False):
        yield Breach("spec.hostUsers", "it must be false")
    for volume in spec["volumes"]:
        yield from _volume(volume)
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind, ()):
            yield from _container(f"spec.{kind}.{container['name']}", container, strict)
    yield from _names(spec)


def _names(spec: Found) -> Iterator[Breach]:
    names = [container["name"] for kind in ("initContainers", "containers") for container in spec.get(kind, ())]
    if len(set(names)) < len(names) or [each["name"] for each in spec["containers"]].count(CONTAINER) != 1:
        yield Breach("spec.containers", f"each has another name, and one is {CONTAINER}")
    volumes = [volume["name"] for volume in spec["volumes"]]
    if len(set(volumes)) < len(volumes):
        yield Breach("spec.volumes", "each has another name")


def _volume(volume: Found) -> Iterator[Breach]:
    place = f"spec.volumes.{volume['name']}"
    yield from _unknown(place, volume, {"name", *_SOURCES})
    claimed = str((volume.get("persistentVolumeClaim") or {}).get("claimName") or "")
    if claimed.startswith("sac-") and volume["name"] != "agent":
        yield Breach(f"{place}.persistentVolumeClaim", f"{claimed} is an agent's")
    if (volume.get("emptyDir") or {}).get("medium") not in (None, "", "Memory"):
        yield Breach(f"{place}.emptyDir.medium", "it must be Memory, or none")
    for source in (volume.get("projected") or {}).get("sources") or ():
        yield from _unknown(f"{place}.projected.sources", source, _PROJECTED)


def _container(place: str, container: Found, strict: bool) -> Iterator[Breach]:
    yield from _unknown(place, container, _CONTAINER)
    yield from _security(f"{place}.securityContext", container.get("securityContext") or {}, strict)
    yield from _resources(f"{place}.resources", container.get("resources") or {})
    for port in container.get("ports") or ():
        yield from _unknown(f"{place}.ports", port, {"name", "containerPort", "protocol"})
    for variable in container.get("env") or ():
        yield from _unknown(f"{place}.env.{variable['name']}.valueFrom", variable.get("valueFrom") or {}, _VALUES)
    for variables in container.get("envFrom") or ():
        yield from _unknown(f"{place}.envFrom", variables, {"prefix", "configMapRef"})
    for mount in container.get("volumeMounts") or ():
        yield from _mount(f"{place}.volumeMounts.{mount['name']}", mount, own=container["name"] == CONTAINER)
    for probe in _PROBES:
        for how in ("httpGet", "tcpSocket"):
            if "host" in ((container.get(probe) or {}).get(how) or {}):
                yield Breach(f"{place}.{probe}.{how}.host", "a node asks the pod itself alone")


def _security(place: str, security: Found, strict: bool) -> Iterator[Breach]:
    for name, value in _SECURITY.items():
        if security.get(name) != value:
            yield Breach(f"{place}.{name}", f"it must be {value}")
    writable = security.get("readOnlyRootFilesystem") is not True
    if strict and writable:
        yield Breach(f"{place}.readOnlyRootFilesystem", "it must be true with the profile strict")
    for name in ("runAsUser", "runAsGroup"):
        if security.get(name, 1) == 0:
            yield Breach(f"{place}.{name}", "nothing runs as root")
    yield from _unknown(place, security, {*_SECURITY, "readOnlyRootFilesystem", "runAsUser", "runAsGroup"})


def _resources(place: str, resources: Found) -> Iterator[Breach]:
    for part in ("limits", "requests"):
        yield from _unknown(f"{place}.{part}", resources.get(part) or {}, _AMOUNTS)
    if missing := _AMOUNTS - (resources.get("limits") or {}).keys():
        yield Breach(f"{place}.limits", f"it must have {', '.join(sorted(missing))}")


def _mount(place: str, mount: Found, *, own: bool) -> Iterator[Breach]:
    if mount.get("mountPropagation") not in (None, "None"):
        yield Breach(f"{place}.mountPropagation", "mounts stay in their container")
    if not own and mount["name"] in PRIVATE_VOLUMES:
        yield Breach(place, "only the agent's container sees it")
    if own and mount["name"] not in OWN_VOLUMES and (message := mount_fault(mount["mountPath"])):
        yield Breach(f"{place}.mountPath", message)


def _unknown(place: str, found: Found, known: set[str]) -> Iterator[Breach]:
    for name in sorted(found.keys() - known):
        yield Breach(f"{place}.{name}", "it is none of the fields that SAC knows to be harmless")
