"""What keeps an agent in: the *restricted* standard of pods and more, the same for every agent of a profile."""

from __future__ import annotations

from typing import Any

from sac_core.models.launch import Resources
from sac_executor_kubernetes.settings import KubernetesSettings

AGENT_USER = 10001
_AWAY = 900
"""Seconds that a node may be away before its pods are given up; clusters' own default has wiped out whole fleets."""


def pod_isolation(settings: KubernetesSettings) -> dict[str, Any]:
    """Of the pod. The profiles do not differ here."""
    return {
        "automountServiceAccountToken": False,
        **_named("serviceAccountName", settings.service_account),
        "enableServiceLinks": False,
        "hostNetwork": False,
        "hostPID": False,
        "hostIPC": False,
        **({"hostUsers": False} if settings.user_namespaces else {}),
        "shareProcessNamespace": False,
        **_named("runtimeClassName", settings.runtime_class),
        **_named("priorityClassName", settings.priority_class),
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": settings.grace,
        "hostname": "sac",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": AGENT_USER,
            "runAsGroup": AGENT_USER,
            "fsGroup": AGENT_USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "tolerations": [_patience("unreachable"), _patience("not-ready")],
        **_listed("imagePullSecrets", settings.image_pull_secrets),
    }


def container_security(strict: bool) -> dict[str, Any]:
    """Of the container; the profile ``dev`` has a writable root, and no other freedom."""
    return {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": strict,
        "capabilities": {"drop": ["ALL"]},
        "procMount": "Default",
    }


def resources(wanted: Resources, settings: KubernetesSettings) -> dict[str, Any]:
    """Limits as asked for; what is set aside is less."""
    cpu, memory = wanted.cpu or settings.cpu, wanted.memory or settings.memory
    disk = wanted.disk or settings.disk
    return {
        "requests": _amounts(
            min(cpu, settings.request_cpu), min(memory, settings.request_memory), min(disk, settings.request_disk)
        ),
        "limits": _amounts(cpu, memory, disk),
    }


def _amounts(cpu: float, memory: int, disk: int) -> dict[str, str]:
    return {"cpu": f"{max(1, round(cpu * 1000))}m", "memory": str(memory), "ephemeral-storage": str(disk)}


def _patience(trouble: str) -> dict[str, Any]:
    return {
        "key": f"node.kubernetes.io/{trouble}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": _AWAY,
    }


def _named(field: str, name: str | None) -> dict[str, str]:
    return {field: name} if name else {}


def _listed(field: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {field: [{"name": name} for name in names]} if names else {}
