"""What SAC may do in a namespace of agents, and nothing else: what the role has, and what is asked for at the start."""

from __future__ import annotations

Rights = dict[tuple[str, str], tuple[str, ...]]
"""Verbs by group and resource."""

NEEDED: Rights = {
    ("apps", "deployments"): ("get", "list", "watch", "create", "patch", "delete"),
    ("", "services"): ("get", "create", "patch", "delete"),
    ("", "pods"): ("list", "watch", "delete"),
    ("", "pods/exec"): ("get", "create"),
    ("", "configmaps"): ("get", "create"),
    ("", "persistentvolumeclaims"): ("get", "list", "create", "delete"),
}
GRANTED: Rights = {**NEEDED, ("", "resourcequotas"): ("list",)}
"""The whole role; what is not needed makes `sac doctor` know more."""
