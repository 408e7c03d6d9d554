"""What an administrator makes once: the namespace of agents, accounts, the role, and the bounds of all agents together.

Each agent has its own limits besides. What is made here is also what the tests and the guide use.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any, NamedTuple

from sac_core.errors import InvalidError
from sac_core.models.base import parse
from sac_executor_kubernetes.rights import GRANTED
from sac_executor_kubernetes.settings import GIB, KubernetesSettings

Object = dict[str, Any]

ROLE = "sac"
AGENTS = "sac-agent"
"""The account of agents' pods, which nothing is bound to."""
STANDARD = "v1.25"
"""The form of the standard *restricted*; a later one may demand what older clusters do not know."""
_PRIVATE = {
    "0.0.0.0/0": (
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    ),
    "::/0": ("fc00::/7", "fe80::/10"),
}  # fmt: skip
"""All addresses, and those of them that are inside of networks: of nodes, of pods, and of a cloud's metadata."""


class Account(NamedTuple):
    """The service account of SAC. One of another namespace is there already."""

    namespace: str
    name: str


def read_account(text: str, namespace: str) -> Account:
    """An account from ``NAME`` or ``NAMESPACE/NAME``; raises `InvalidError`."""
    place, _, name = text.rpartition("/")
    account = Account(place or namespace, name)
    if place:
        _check_namespace(place, "--service-account")
    parse(KubernetesSettings, {"serviceAccount": name}, field="--service-account")
    return account


def setup(namespace: str, account: Account, agents: int) -> list[Object]:
    """All that is applied once for a namespace with at most so many agents; raises `InvalidError`."""
    _check_namespace(namespace, "--namespace")
    if agents < 1:
        raise InvalidError("there has to be room for an agent", field="--agents")
    accounts = [AGENTS, *([account.name] if account.namespace == namespace else [])]
    return [
        _namespace(namespace),
        *(_account(namespace, name) for name in sorted(accounts)),
        _role(namespace),
        _binding(namespace, account),
        _quota(namespace, agents),
        _limits(namespace),
        *_policies(namespace),
    ]


def _check_namespace(name: str, field: str) -> None:
    parse(KubernetesSettings, {"namespace": name}, field=field)


def _namespace(name: str) -> Object:
    standard = "pod-security.kubernetes.io/enforce"
    labels = {standard: "restricted", f"{standard}-version": STANDARD}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _account(namespace: str, name: str) -> Object:
    made = _object("v1", "ServiceAccount", namespace, name)
    return {**made, "automountServiceAccountToken": False}


def _role(namespace: str) -> Object:
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}
        for (group, resource), verbs in GRANTED.items()
    ]
    return {**_object("rbac.authorization.k8s.io/v1", "Role", namespace, ROLE), "rules": rules}


def _binding(namespace: str, account: Account) -> Object:
    return {
        **_object("rbac.authorization.k8s.io/v1", "RoleBinding", namespace, ROLE),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ROLE},
        "subjects": [{"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}],
    }


def _quota(namespace: str, agents: int) -> Object:
    """What agents use that name no limits, so many times; and half as many pods more, for those that still end."""
    each, pods = KubernetesSettings(), agents + (agents + 1) // 2
    hard = {
        "count/deployments.apps": agents,
        "count/services": agents,
        "pods": pods,
        "requests.cpu": f"{round(pods * each.request_cpu * 1000)}m",
        "requests.memory": f"{ceil(pods * each.request_memory / GIB)}Gi",
        "requests.ephemeral-storage": f"{pods * each.request_disk // GIB}Gi",
        "limits.cpu": f"{round(pods * each.cpu)}",
        "limits.memory": f"{pods * each.memory // GIB}Gi",
        "limits.ephemeral-storage": f"{pods * each.disk // GIB}Gi",
        "persistentvolumeclaims": agents,
        "requests.storage": f"{agents * each.disk // GIB}Gi",
    }
    made = _object("v1", "ResourceQuota", namespace, "sac-agents")
    return {**made, "spec": {"hard": {name: str(most) for name, most in hard.items()}}}


def _limits(namespace: str) -> Object:
    """What a pod of somebody else's gets here who says nothing; SAC's say it."""
    amounts = {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"}
    asked = {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "128Mi"}
    limit = {"type": "Container", "default": amounts, "defaultRequest": asked}
    return {**_object("v1", "LimitRange", namespace, "sac-agents"), "spec": {"limits": [limit]}}


def _policies(namespace: str) -> Iterator[Object]:
    """Nothing in, for SAC comes through the cluster's API; out only names and HTTPS of public addresses."""
    yield _policy(namespace, "sac-nothing", {"policyTypes": ["Ingress", "Egress"]})
    dns = {
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
        "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
    }
    public = {
        "to": [{"ipBlock": {"cidr": all_of, "except": list(private)}} for all_of, private in _PRIVATE.items()],
        "ports": [{"protocol": "TCP", "port": 443}],
    }
    yield _policy(namespace, "sac-public", {"policyTypes": ["Egress"], "egress": [dns, public]})


def _policy(namespace: str, name: str, spec: Object) -> Object:
    made = _object("networking.k8s.io/v1", "NetworkPolicy", namespace, name)
    return {**made, "spec": {"podSelector": {}, **spec}}


def _object(version: str, kind: str, namespace: str, name: str) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}
