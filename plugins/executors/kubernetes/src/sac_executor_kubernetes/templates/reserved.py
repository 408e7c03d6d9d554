"""What of a pod is SAC's own, and what to do instead of setting it."""

from __future__ import annotations

import posixpath

AGENT_KEYS = {
    "image": "the agent's image is in its spec, or the target's `image`: leave it out",
    "imagePullPolicy": "SAC sets it: leave it out",
    "command": "the agent's container runs SAC's holder: give the agent's spec a command",
    "args": "the agent's container runs SAC's holder: give the agent's spec a command",
    "workingDir": "the agent's folder is SAC's own: leave it out",
    "ports": "ports of an agent are in its spec: leave it out",
    "resources": "what an agent may use is in its spec, or the target's `cpu`, `memory`, `disk`: leave it out",
    "securityContext": "SAC keeps the agent in: leave it out",
    "restartPolicy": "the cluster restarts the container: leave it out",
}
"""Of the agent's container."""
CONTAINER_KEYS = {
    "volumeDevices": "pods see no devices: use a volume with files",
    "resizePolicy": "SAC knows of none: leave it out",
    "stdin": "nobody types into it: leave it out",
    "tty": "nobody types into it: leave it out",
}
"""Of every container."""
POD_KEYS = {
    "serviceAccountName": "set `serviceAccount` of the target instead",
    "serviceAccount": "set `serviceAccount` of the target instead",
    "automountServiceAccountToken": "pods get no token of the cluster: leave it out",
    "hostNetwork": "pods have a network of their own: leave it out",
    "hostPID": "pods see nothing of their nodes: leave it out",
    "hostIPC": "pods see nothing of their nodes: leave it out",
    "hostUsers": "set `userNamespaces` of the target instead",
    "hostname": "SAC sets it: leave it out",
    "shareProcessNamespace": "containers do not see each other's processes: leave it out",
    "enableServiceLinks": "pods are not told of other services: leave it out",
    "restartPolicy": "SAC sets it: give the agent's spec a `restart`",
    "terminationGracePeriodSeconds": "set `grace` of the target instead",
    "securityContext": "SAC keeps the agent in: leave it out (a side container may have its own runAsUser)",
    "runtimeClassName": "set `runtimeClass` of the target instead",
    "priorityClassName": "set `priorityClass` of the target instead",
    "imagePullSecrets": "set `imagePullSecrets` of the target instead",
    "nodeName": "that would leave out the scheduler: use nodeSelector",
    "ephemeralContainers": "those are for kubectl debug: leave it out",
}
"""Of the pod."""
VOLUME_KEYS = {
    "hostPath": "pods see nothing of their nodes: use emptyDir, or a persistentVolumeClaim",
    "secret": "Secrets of the namespace may be tokens of the cluster: give the agent a secret of SAC's, spec.secrets",
    "serviceAccountToken": "pods get no token of the cluster: leave it out",
    "clusterTrustBundle": "SAC knows of none: use a configMap",
    "csi": "what such a driver does is not known here: use a persistentVolumeClaim of its storage class",
    "nfs": "what a node mounts is not for templates: use a persistentVolumeClaim",
}
"""Of volumes, and of the parts of projected ones."""

PRIVATE_VOLUMES = frozenset({"run", "holder", "tmp"})
"""Only the agent's container sees them."""
OWN_VOLUMES = PRIVATE_VOLUMES | {"agent"}
_PLACES = ("/agent", "/run/sac", "/opt/sac", "/tmp", "/proc", "/sys", "/dev")
_LABELS = frozenset({"app", "user", "agent", "pod-template-hash"})
_ENVIRONMENT = frozenset({"HOME", "LANG", "SAC_WORK", "SAC_SECRETS_DIR"})
_CONFINING = frozenset(
    {
        "security",
        "apparmor",
        "seccomp",
        "katacontainers",
        "cri",
        "cri-o",
        "crio",
        "containerd",
        "oci",
        "nri",
        "cdi",
        "cni",
    }
)
"""Words of annotations by which a node is told to keep a pod in less, or to give it devices or networks."""


def label_fault(name: str) -> str | None:
    """What is wrong with a label of a template."""
    ours = name in _LABELS or _domain(name).split(".")[0] == "sac"
    return "SAC sets it: take another name" if ours else None


def annotation_fault(name: str) -> str | None:
    """What is wrong with an annotation."""
    if _domain(name).split(".")[0] == "sac":
        return "SAC sets it: take another name"
    if _CONFINING & set((_domain(name) or name).lower().split(".")):
        return "it could change how the node keeps the pod in: leave it out"
    return None


def volume_fault(name: str) -> str | None:
    """What is wrong with a volume's name."""
    return f"{', '.join(sorted(OWN_VOLUMES))} are SAC's own volumes: take another name" if name in OWN_VOLUMES else None


def environment_fault(name: str) -> str | None:
    """What is wrong with a variable of the agent's container."""
    ours = name in _ENVIRONMENT or name.startswith("SAC_")
    return f"{name} is set by SAC: take another name" if ours else None


def mount_fault(path: str) -> str | None:
    """What is wrong with a place in the agent's container; ``/var/run`` is ``/run`` in most images."""
    place = posixpath.normpath(path).replace("//", "/")
    if not path.startswith("/") or ".." in path.split("/"):
        return f"{path}: give the whole path"
    place = place.removeprefix("/var") if place.startswith("/var/run") else place
    for own in _PLACES:
        if _within(place, own) or _within(own, place):
            return f"{path} is, holds or is in {own}, which is SAC's own: take another, such as /data"
    return None


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _domain(name: str) -> str:
    return name.partition("/")[0] if "/" in name else ""
