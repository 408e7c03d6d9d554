"""From a Launch to the objects of a body. What keeps it in is in `isolation`, and put in last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sac_core.models.body import OWNER_LABEL, Key, body_labels
from sac_core.models.launch import Launch
from sac_core.models.secret_use import SECRETS_DIR
from sac_executor_kubernetes.isolation import container_security, pod_isolation, resources
from sac_executor_kubernetes.naming import (
    ADDRESS_MARK,
    CONTAINER,
    HASH_LABEL,
    LIFE_MARK,
    STATE_MARK,
    State,
    object_name,
)
from sac_executor_kubernetes.seeing import Decided
from sac_executor_kubernetes.settings import MIB, KubernetesOptions, KubernetesSettings
from sac_executor_kubernetes.templates.checking import check_pod
from sac_executor_kubernetes.templates.merging import merged_metadata, merged_spec

Object = dict[str, Any]

HOLDER_PLACE = "/opt/sac"
AGENT_PLACE = "/agent"
HOME, WORK = "/agent/home", "/agent/work"
RUN_PLACE = "/run/sac"
RUN = "/run/sac/holder"
"""The holder's folder: the mount itself may be entered by anyone in the pod, for the cluster makes it so."""
SECRETS = "/run/sac/secrets"
SOCKET = "/run/sac/holder/holder.sock"
_HOLDER_GRACE = "3600"
"""Longer than any: the kubelet's kill ends what did not end in time."""
_APP = "sac-agent"


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a body is made from."""

    key: Key
    owner: str
    launch: Launch
    options: KubernetesOptions
    holder_files: str
    settings: KubernetesSettings

    @property
    def name(self) -> str:
        """Of all its objects."""
        return object_name(self.key)

    @property
    def labels(self) -> dict[str, str]:
        """Of the Deployment: the user's, then ours."""
        launch = self.launch
        ours = body_labels(self.owner, self.key, generation=launch.generation, hash=launch.hash)
        return {**launch.binding.labels, **people_labels(self.key), **ours}

    @property
    def lasting(self) -> dict[str, str]:
        """Labels of what a new generation does not change."""
        return {name: value for name, value in self.labels.items() if name in _LASTING}

    @property
    def strict(self) -> bool:
        """Whether the roots of its containers cannot be written."""
        return self.launch.template.profile == "strict"

    @property
    def selector(self) -> dict[str, str]:
        """Which pods are the Deployment's."""
        return {OWNER_LABEL: self.owner, "sac/uid": self.key.uid}


_LASTING = (OWNER_LABEL, "sac/tenant", "sac/agent", "sac/uid", "app", "user", "agent")


def people_labels(key: Key) -> dict[str, str]:
    """Labels by which people find an agent."""
    return {"app": _APP, "user": key.tenant, "agent": key.agent}


def first_deployment(plan: Plan) -> Object:
    """A Deployment without a pod, which the other objects of a body belong to; all of it is in the later one too."""
    template = {
        "metadata": {"labels": plan.selector},
        "spec": {"containers": [{"name": CONTAINER, "image": _image(plan)}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": plan.name, "labels": plan.labels, "annotations": {STATE_MARK: "new", LIFE_MARK: ""}},
        "spec": {
            "replicas": 0,
            "paused": True,  # the cluster prepares nothing of what is not yet whole
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": plan.selector},
            "template": template,
        },
    }


def deployment(plan: Plan, *, version: str, state: State, address: str = "") -> Object:
    """The Deployment that runs the body, if it is still of this version; ``address`` is its Service's."""
    annotations = {STATE_MARK: state, LIFE_MARK: "", **({ADDRESS_MARK: address} if address else {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": plan.name,
            "resourceVersion": version,
            "labels": plan.labels,
            "annotations": annotations,
        },
        "spec": {
            "replicas": 1,
            "paused": False,
            "strategy": {"type": "Recreate"},
            "revisionHistoryLimit": 1,
            "progressDeadlineSeconds": 180,
            "selector": {"matchLabels": plan.selector},
            "template": pod_template(plan),
        },
    }


def pod_template(plan: Plan) -> Object:
    """What the cluster makes pods of; raises `LaunchError` if it would not keep the agent in."""
    labels = {**plan.lasting, HASH_LABEL: plan.launch.hash}
    whole = {"metadata": merged_metadata(labels, plan.settings.pod_template, plan.options), "spec": pod(plan)}
    check_pod(whole, strict=plan.strict)
    return whole


def pod(plan: Plan) -> Object:
    """What the cluster runs: SAC's own, with what the template of the target adds."""
    return merged_spec(_own(plan), plan.settings.pod_template, plan.options, strict=plan.strict)


def _own(plan: Plan) -> Object:
    template, settings = plan.launch.template, plan.settings
    strict = plan.strict
    container = {
        "name": CONTAINER,
        "image": _image(plan),
        "imagePullPolicy": "IfNotPresent",
        "command": _command(plan),
        "env": [{"name": name, "value": value} for name, value in _environment().items()],
        "securityContext": container_security(strict),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "resources": resources(template.resources, settings),
        "volumeMounts": _mounts(strict),
        **({"ports": _ports(plan)} if template.ports else {}),
    }
    return {**pod_isolation(settings), "containers": [container], "volumes": _volumes(plan, strict)}


def service(plan: Plan, owner_uid: str) -> Object:
    """The Service of a body: with the ports that its spec declares, else a name without an address."""
    ports = [{"name": port.name, "port": port.port, "targetPort": port.port} for port in plan.launch.template.ports]
    spec: Object = {"type": "ClusterIP", "selector": plan.selector}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": plan.name, "labels": plan.lasting, "ownerReferences": [_owned(plan, owner_uid)]},
        "spec": {**spec, "ports": ports} if ports else {**spec, "clusterIP": "None"},
    }


def claim(plan: Plan) -> Object:
    """The volume of a body that asked for one. It has no owner: it is kept when the Deployment goes and it does not."""
    storage_class = plan.settings.storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": plan.name, "labels": plan.lasting},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": str(plan.options.storage)}},
            **({"storageClassName": storage_class} if storage_class else {}),
        },
    }


def marked(before: Decided, state: State, labels: Mapping[str, str], *, life: str) -> list[Object]:
    """A change of what was decided about a Deployment, as long as that stands; only some states have a pod.

    The cluster writes into Deployments too: a change that named the version would mostly have to be made again.
    """
    labels_at, marks_at = "/metadata/labels", "/metadata/annotations"
    generation, state_mark, life_mark = _pointer("sac/generation"), _pointer(STATE_MARK), _pointer(LIFE_MARK)
    tests: dict[str, object] = {
        "/metadata/uid": before.uid,
        f"{labels_at}/{generation}": before.generation,
        f"{labels_at}/{_pointer('sac/hash')}": before.hash,
        f"{marks_at}/{state_mark}": before.state,
        f"{marks_at}/{life_mark}": before.life,
        "/spec/replicas": before.replicas,
    }
    wanted: dict[str, object] = {
        **{f"{labels_at}/{_pointer(name)}": value for name, value in labels.items()},
        f"{marks_at}/{state_mark}": state,
        f"{marks_at}/{life_mark}": life,
        "/spec/replicas": 1 if state in ("new", "up") else 0,
    }
    return [
        *({"op": "test", "path": path, "value": value} for path, value in tests.items()),
        *({"op": "add", "path": path, "value": value} for path, value in wanted.items()),
    ]


def _pointer(name: str) -> str:
    """A name as part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _owned(plan: Plan, uid: str) -> Object:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": plan.name, "uid": uid}


def _image(plan: Plan) -> str:
    return plan.launch.template.image or plan.settings.image


def _command(plan: Plan) -> list[str]:
    options = {"uid": plan.key.uid, "cwd": WORK, "foreground": "1", "grace": _HOLDER_GRACE}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    place = HOLDER_PLACE
    return [plan.options.python, "-I", "-S", f"{place}/start.py", RUN, f"{place}/program.py", *words]


def _environment() -> dict[str, str]:
    """What all its processes have; each gets the agent's own when it is opened."""
    return {"HOME": HOME, "LANG": "C.UTF-8", SECRETS_DIR: SECRETS, "SAC_WORK": WORK}


def _ports(plan: Plan) -> list[Object]:
    return [{"containerPort": port.port} for port in plan.launch.template.ports]


def _mounts(strict: bool) -> list[Object]:
    temporary = [{"name": "tmp", "mountPath": "/tmp"}] if strict else []
    return [
        {"name": "agent", "mountPath": AGENT_PLACE},
        {"name": "run", "mountPath": RUN_PLACE},
        {"name": "holder", "mountPath": HOLDER_PLACE, "readOnly": True},
        *temporary,
    ]


def _volumes(plan: Plan, strict: bool) -> list[Object]:
    kept = plan.options.storage is not None
    disk = plan.launch.template.resources.disk or plan.settings.disk
    own: Object = (
        {"persistentVolumeClaim": {"claimName": plan.name}} if kept else {"emptyDir": {"sizeLimit": str(disk)}}
    )
    temporary = [{"name": "tmp", "emptyDir": {"sizeLimit": str(256 * MIB)}}] if strict else []
    return [
        {"name": "agent", **own},
        {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": str(MIB)}},
        {"name": "holder", "configMap": {"name": plan.holder_files, "defaultMode": 0o444}},
        *temporary,
    ]
