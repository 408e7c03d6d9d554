"""What a pod template adds, and that none lets an agent out. Needs no cluster."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from sac_core.errors import InvalidError, LaunchError, UnsupportedError
from sac_core.models.base import parse
from sac_core.models.body import Key
from sac_core.models.launch import Launch, Template
from sac_executor_kubernetes.refusals import check_launch
from sac_executor_kubernetes.rendering import Plan, deployment, pod
from sac_executor_kubernetes.settings import KubernetesSettings
from sac_executor_kubernetes.templates.checking import check_pod
from sac_executor_kubernetes.templates.reserved import POD_KEYS

KEY = Key("acme", "builder", "3d6f0c1e-0000-4000-8000-000000000001")
SIDE = {"name": "side", "image": "side:1"}
SPOT = {"key": "spot", "operator": "Exists", "effect": "NoSchedule"}
WHOLE: dict[str, Any] = {
    "metadata": {"labels": {"team": "red"}, "annotations": {"example.com/note": "hello"}},
    "spec": {
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [SPOT],
        "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone"}],
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["10.0.0.10"]},
        "volumes": [
            {"name": "shared", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "config", "configMap": {"name": "config"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "data", "readOnly": True}},
            {"name": "about", "projected": {"sources": [{"downwardAPI": {"items": []}}]}},
        ],
        "initContainers": [{**SIDE, "name": "first", "volumeMounts": [{"name": "agent", "mountPath": "/agent"}]}],
        "containers": [
            {
                "name": "agent",
                "env": [{"name": "ZONE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
                "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
                "livenessProbe": {"exec": {"command": ["true"]}},
            },
            {
                **SIDE,
                "ports": [{"containerPort": 8080}],
                "resources": {"limits": {"cpu": 1}},
                "securityContext": {"runAsUser": 101},
                "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
            },
        ],
    },
}


def settings(template: object, **more: Any) -> KubernetesSettings:
    return parse(KubernetesSettings, {"podTemplate": template, **more})


def plan(given: KubernetesSettings, profile: Any = "dev", **options: Any) -> Plan:
    launch = Launch(template=Template(profile=profile, options=options))
    return Plan(KEY, "owner", launch, check_launch(launch, given), "sac-holder-1", given)


def made(given: KubernetesSettings, **options: Any) -> dict[str, Any]:
    template: dict[str, Any] = deployment(plan(given, **options), version="7", state="up")["spec"]["template"]
    return template


def spec(**fields: Any) -> dict[str, Any]:
    return {"spec": fields}


def agent(**fields: Any) -> dict[str, Any]:
    return spec(volumes=[{"name": "x", "emptyDir": {}}], containers=[{"name": "agent", **fields}])


def side(**fields: Any) -> dict[str, Any]:
    return spec(containers=[{**SIDE, **fields}])


def mounts(name: str = "x", path: str = "/data", **more: Any) -> list[dict[str, Any]]:
    return [{"name": name, "mountPath": path, **more}]


def test_all_that_a_template_says_is_in_the_pod() -> None:
    found = made(settings(WHOLE))
    assert found["metadata"]["labels"]["team"] == "red"
    assert found["metadata"]["annotations"] == {"example.com/note": "hello"}
    for field in ("affinity", "topologySpreadConstraints", "dnsPolicy", "dnsConfig", "nodeSelector"):
        assert found["spec"][field] == WHOLE["spec"][field]
    assert SPOT in found["spec"]["tolerations"]
    assert found["spec"]["volumes"][-4:] == WHOLE["spec"]["volumes"]
    container, beside = found["spec"]["containers"]
    assert container["livenessProbe"] == {"exec": {"command": ["true"]}}
    assert container["env"][-1]["name"] == "ZONE"
    assert container["volumeMounts"][-1] == {"name": "shared", "mountPath": "/shared"}
    assert beside["ports"] == [{"containerPort": 8080}]
    assert beside["securityContext"]["runAsUser"] == 101
    assert found["spec"]["initContainers"][0]["volumeMounts"] == mounts("agent", "/agent")


def test_nothing_of_sac_s_own_changes_by_it() -> None:
    without, found = pod(plan(KubernetesSettings())), pod(plan(settings(WHOLE)))
    lists = {"containers", "volumes", "tolerations"}
    assert {name: value for name, value in found.items() if name in without.keys() - lists} == {
        name: value for name, value in without.items() if name not in lists
    }
    for name in lists - {"containers"}:
        assert found[name][: len(without[name])] == without[name]
    own, now = without["containers"][0], found["containers"][0]
    for name, value in own.items():
        assert now[name] == value if name not in ("env", "volumeMounts") else now[name][: len(value)] == value


def test_every_container_is_kept_in_and_has_limits() -> None:
    found = made(settings(WHOLE))["spec"]
    (first,), (_, beside) = found["initContainers"], found["containers"]
    for container in (first, beside):
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert first["resources"]["limits"] == {"cpu": "500m", "memory": "256Mi", "ephemeral-storage": "1Gi"}
    assert beside["resources"]["limits"] == {"cpu": "1", "memory": "256Mi", "ephemeral-storage": "1Gi"}


def test_with_the_profile_strict_no_root_can_be_written() -> None:
    found = pod(plan(settings(WHOLE), "strict"))
    for container in (*found["initContainers"], *found["containers"]):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_a_template_may_say_how_long_nodes_may_be_away() -> None:
    patience = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
    found = pod(plan(settings(spec(tolerations=[patience]))))["tolerations"]
    assert [each["key"] for each in found] == ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
    assert "tolerationSeconds" not in found[1]


def test_the_same_settings_make_the_same_pod() -> None:
    """Else the cluster would roll it: the order of lists counts. Settings come back from the store with sorted keys."""
    given = settings(WHOLE)
    again = parse(KubernetesSettings, json.loads(json.dumps(given.to_wire(), sort_keys=True)))
    assert made(given) == made(again) == made(given)


def test_a_template_may_be_yaml() -> None:
    given = settings("spec:\n  nodeSelector: {disk: ssd}\n")
    assert pod(plan(given))["nodeSelector"] == {"disk": "ssd"}


@pytest.mark.parametrize(
    ("template", "field"),
    [
        (spec(hostNetwork=True), "spec.hostNetwork"),
        (spec(hostPID=True), "spec.hostPID"),
        (spec(hostIPC=True), "spec.hostIPC"),
        (spec(hostUsers=True), "spec.hostUsers"),
        (spec(shareProcessNamespace=True), "spec.shareProcessNamespace"),
        (spec(automountServiceAccountToken=True), "spec.automountServiceAccountToken"),
        (spec(serviceAccountName="admin"), "spec.serviceAccountName"),
        (spec(restartPolicy="Never"), "spec.restartPolicy"),
        (spec(securityContext={"sysctls": []}), "spec.securityContext"),
        (spec(securityContext={"runAsUser": 0}), "spec.securityContext"),
        (spec(runtimeClassName="runc"), "spec.runtimeClassName"),
        (spec(nodeName="control-plane"), "spec.nodeName"),
        (spec(ephemeralContainers=[]), "spec.ephemeralContainers"),
        (spec(somethingNew={}), "spec.somethingNew"),
        (spec(volumes=[{"name": "x", "hostPath": {"path": "/"}}]), "spec.volumes.0.hostPath"),
        (spec(volumes=[{"name": "x", "secret": {"secretName": "token"}}]), "spec.volumes.0.secret"),
        (spec(volumes=[{"name": "x", "csi": {"driver": "d"}}]), "spec.volumes.0.csi"),
        (spec(volumes=[{"name": "x", "nfs": {}}]), "spec.volumes.0.nfs"),
        (spec(volumes=[{"name": "x"}]), "spec.volumes.0"),
        (spec(volumes=[{"name": "run", "emptyDir": {}}]), "spec.volumes.0.name"),
        (
            spec(volumes=[{"name": "x", "persistentVolumeClaim": {"claimName": "sac-1"}}]),
            "spec.volumes.0.persistentVolumeClaim.claimName",
        ),
        (
            spec(volumes=[{"name": "x", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]),
            "spec.volumes.0.projected.sources.0.serviceAccountToken",
        ),
        (
            spec(volumes=[{"name": "x", "projected": {"sources": [{"secret": {"name": "t"}}]}}]),
            "spec.volumes.0.projected.sources.0.secret",
        ),
        (spec(volumes=[{"name": "x", "emptyDir": {"medium": "HugePages"}}]), "spec.volumes.0.emptyDir.medium"),
        (spec(volumes=[{"name": "x", "emptyDir": {}}] * 2), "spec.volumes"),
        (agent(image="evil"), "spec.containers.0.image"),
        (agent(command=["sh"]), "spec.containers.0.command"),
        (agent(args=["sh"]), "spec.containers.0.args"),
        (agent(workingDir="/"), "spec.containers.0.workingDir"),
        (agent(imagePullPolicy="Never"), "spec.containers.0.imagePullPolicy"),
        (agent(restartPolicy="Always"), "spec.containers.0.restartPolicy"),
        (agent(resources={}), "spec.containers.0.resources"),
        (agent(ports=[]), "spec.containers.0.ports"),
        (agent(securityContext={}), "spec.containers.0.securityContext"),
        (agent(env=[{"name": "SAC_SECRETS_DIR", "value": "/"}]), "spec.containers.0.env.0.name"),
        (agent(volumeMounts=mounts(path="/run/sac")), "spec.containers.0.volumeMounts.0.mountPath"),
        (agent(volumeMounts=mounts(path="/var/run/sac/x")), "spec.containers.0.volumeMounts.0.mountPath"),
        (agent(volumeMounts=mounts(path="/run")), "spec.containers.0.volumeMounts.0.mountPath"),
        (agent(volumeMounts=mounts(path="/")), "spec.containers.0.volumeMounts.0.mountPath"),
        (agent(volumeMounts=mounts(path="/data/../opt/sac")), "spec.containers.0.volumeMounts.0.mountPath"),
        (agent(volumeMounts=mounts(path="//opt/sac/x")), "spec.containers.0.volumeMounts.0.mountPath"),
        (agent(volumeMounts=mounts(path="/agent/home/x")), "spec.containers.0.volumeMounts.0.mountPath"),
        (agent(volumeMounts=mounts(path="/sys/fs/cgroup")), "spec.containers.0.volumeMounts.0.mountPath"),
        (agent(volumeMounts=mounts("run")), "spec.containers.0.volumeMounts.0.name"),
        (agent(volumeMounts=mounts("agent")), "spec.containers.0.volumeMounts.0.name"),
        (
            agent(volumeMounts=mounts(mountPropagation="Bidirectional")),
            "spec.containers.0.volumeMounts.0.mountPropagation",
        ),
        (spec(containers=[{"name": "side"}]), "spec.containers.0.image"),
        (spec(containers=[SIDE, SIDE]), "spec.containers"),
        (spec(containers=[SIDE], initContainers=[SIDE]), "spec.containers"),
        (spec(initContainers=[{"name": "agent"}]), "spec.initContainers.0.name"),
        (side(restartPolicy="Always"), "spec.containers.0.restartPolicy"),
        (side(volumeMounts=mounts("run")), "spec.containers.0.volumeMounts.0.name"),
        (side(volumeMounts=mounts("holder")), "spec.containers.0.volumeMounts.0.name"),
        (side(volumeMounts=mounts("none")), "spec.containers.0.volumeMounts.0.name"),
        (side(volumeDevices=[]), "spec.containers.0.volumeDevices"),
        (side(lifecycle={}), "spec.containers.0.lifecycle"),
        (side(securityContext={"privileged": True}), "spec.containers.0.securityContext.privileged"),
        (side(securityContext={"runAsUser": 0}), "spec.containers.0.securityContext.runAsUser"),
        (
            side(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}}),
            "spec.containers.0.securityContext.capabilities",
        ),
        (side(securityContext={"procMount": "Unmasked"}), "spec.containers.0.securityContext.procMount"),
        (side(securityContext={"seccompProfile": {}}), "spec.containers.0.securityContext.seccompProfile"),
        (side(securityContext={"runAsNonRoot": False}), "spec.containers.0.securityContext.runAsNonRoot"),
        (side(ports=[{"containerPort": 1, "hostPort": 22}]), "spec.containers.0.ports.0.hostPort"),
        (side(ports=[{"containerPort": 1, "hostIP": "0.0.0.0"}]), "spec.containers.0.ports.0.hostIP"),
        (side(resources={"limits": {"nvidia.com/gpu": 1}}), "spec.containers.0.resources.limits.nvidia.com/gpu.[key]"),
        (side(envFrom=[{"secretRef": {"name": "t"}}]), "spec.containers.0.envFrom.0.secretRef"),
        (
            side(env=[{"name": "T", "valueFrom": {"secretKeyRef": {"name": "t"}}}]),
            "spec.containers.0.env.0.valueFrom.secretKeyRef",
        ),
        (
            side(livenessProbe={"httpGet": {"port": 80, "host": "169.254.169.254"}}),
            "spec.containers.0.livenessProbe.httpGet.host",
        ),
        (
            side(startupProbe={"tcpSocket": {"port": 80, "host": "10.0.0.1"}}),
            "spec.containers.0.startupProbe.tcpSocket.host",
        ),
        ({"metadata": {"labels": {"sac/owner": "other"}}}, "metadata.labels.sac/owner"),
        ({"metadata": {"labels": {"app": "other"}}}, "metadata.labels.app"),
        ({"metadata": {"annotations": {"sac/kubernetes.state": "up"}}}, "metadata.annotations.sac/kubernetes.state"),
        (
            {"metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/agent": "unconfined"}}},
            "metadata.annotations.container.apparmor.security.beta.kubernetes.io/agent",
        ),
        (
            {"metadata": {"annotations": {"io.kubernetes.cri-o.userns-mode": "host"}}},
            "metadata.annotations.io.kubernetes.cri-o.userns-mode",
        ),
        ({"metadata": {"annotations": {"cdi.k8s.io/gpu": "all"}}}, "metadata.annotations.cdi.k8s.io/gpu"),
        ({"metadata": {"name": "x"}}, "metadata.name"),
        ("spec: [", ""),
        ("a: &a {}\nspec: *a", ""),
    ],
)
def test_what_a_template_may_not_say_is_refused_by_its_name(template: Any, field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        settings(template)
    assert refused.value.field == ".".join(part for part in ("podTemplate", field) if part)


@pytest.mark.parametrize("field", POD_KEYS)
def test_who_sets_what_is_sac_s_own_is_told_what_to_do(field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        settings(spec(**{field: None}))
    assert (refused.value.field, refused.value.message) == (f"podTemplate.spec.{field}", POD_KEYS[field])


Change = Callable[[dict[str, Any]], None]


def sets(*path: str | int, to: Any) -> Change:
    """A mistake in how a pod is made."""

    def change(found: Any) -> None:
        for part in path[:-1]:
            found = found[part]
        found[path[-1]] = to

    return change


def adds(*path: str | int, item: Any) -> Change:
    def change(found: Any) -> None:
        for part in path:
            found = found[part]
        found.append(item)

    return change


OTHER = ("spec", "containers", 1)
FREE_POD: dict[str, Any] = {
    "hostNetwork": True,
    "hostPID": True,
    "hostIPC": True,
    "hostUsers": True,
    "shareProcessNamespace": True,
    "automountServiceAccountToken": None,
    "enableServiceLinks": True,
    "restartPolicy": "Never",
    "hostname": "node",
    "securityContext": {},
    "ephemeralContainers": [],
    "nodeName": "control-plane",
}
FREE_CONTAINER: dict[str, Any] = {
    "privileged": True,
    "allowPrivilegeEscalation": True,
    "capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]},
    "procMount": "Unmasked",
    "readOnlyRootFilesystem": False,
    "runAsUser": 0,
    "runAsGroup": 0,
    "runAsNonRoot": False,
    "seLinuxOptions": {},
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *((sets("spec", name, to=value), f"spec.{name}") for name, value in FREE_POD.items()),
        (sets("spec", "securityContext", "sysctls", to=[{"name": "kernel.x"}]), "spec.securityContext"),
        (sets("spec", "securityContext", "runAsUser", to=0), "spec.securityContext"),
        (sets("spec", "securityContext", "seccompProfile", to={"type": "Unconfined"}), "spec.securityContext"),
        (adds("spec", "volumes", item={"name": "x", "hostPath": {"path": "/"}}), "spec.volumes.x.hostPath"),
        (adds("spec", "volumes", item={"name": "x", "secret": {}}), "spec.volumes.x.secret"),
        (
            adds("spec", "volumes", item={"name": "x", "projected": {"sources": [{"serviceAccountToken": {}}]}}),
            "spec.volumes.x.projected.sources.serviceAccountToken",
        ),
        (
            adds("spec", "volumes", item={"name": "x", "persistentVolumeClaim": {"claimName": "sac-1"}}),
            "spec.volumes.x.persistentVolumeClaim",
        ),
        (
            adds("spec", "volumes", item={"name": "x", "emptyDir": {"medium": "HugePages"}}),
            "spec.volumes.x.emptyDir.medium",
        ),
        (adds("spec", "volumes", item={"name": "run", "emptyDir": {}}), "spec.volumes"),
        (adds("spec", "containers", item={**SIDE}), "spec.containers.side.securityContext.privileged"),
        *(
            (sets(*path, "securityContext", name, to=value), f"{place}.securityContext.{name}")
            for path, place in {
                ("spec", "containers", 0): "spec.containers.agent",
                OTHER: "spec.containers.side",
                ("spec", "initContainers", 0): "spec.initContainers.first",
            }.items()
            for name, value in FREE_CONTAINER.items()
        ),
        (sets(*OTHER, "ports", to=[{"containerPort": 1, "hostPort": 1}]), "spec.containers.side.ports.hostPort"),
        (sets(*OTHER, "volumeDevices", to=[]), "spec.containers.side.volumeDevices"),
        (sets(*OTHER, "lifecycle", to={}), "spec.containers.side.lifecycle"),
        (sets(*OTHER, "resources", to={}), "spec.containers.side.resources.limits"),
        (sets(*OTHER, "resources", "limits", "gpu", to="1"), "spec.containers.side.resources.limits.gpu"),
        (sets(*OTHER, "envFrom", to=[{"secretRef": {}}]), "spec.containers.side.envFrom.secretRef"),
        (
            sets(*OTHER, "env", to=[{"name": "T", "valueFrom": {"secretKeyRef": {}}}]),
            "spec.containers.side.env.T.valueFrom.secretKeyRef",
        ),
        (
            sets(*OTHER, "readinessProbe", to={"httpGet": {"port": 1, "host": "x"}}),
            "spec.containers.side.readinessProbe.httpGet.host",
        ),
        (sets(*OTHER, "volumeMounts", to=mounts("run")), "spec.containers.side.volumeMounts.run"),
        (
            sets(*OTHER, "volumeMounts", to=mounts("shared", mountPropagation="HostToContainer")),
            "spec.containers.side.volumeMounts.shared.mountPropagation",
        ),
        (
            adds("spec", "containers", 0, "volumeMounts", item=mounts("shared", "/opt/sac")[0]),
            "spec.containers.agent.volumeMounts.shared.mountPath",
        ),
        (sets(*OTHER, "name", to="first"), "spec.containers"),
        (sets("metadata", "annotations", to={"cri.example/x": ""}), "metadata.annotations.cri.example/x"),
    ],
)
def test_a_pod_that_would_let_its_agent_out_is_not_made(change: Change, field: str) -> None:
    """Whatever mistake made it so."""
    whole = deepcopy(deployment(plan(settings(WHOLE), "strict"), version="7", state="up")["spec"]["template"])
    check_pod(whole, strict=True)
    change(whole)
    with pytest.raises(LaunchError) as refused:
        check_pod(whole, strict=True)
    assert refused.value.field == f"podTemplate.{field}"


CHOSEN: dict[str, Any] = {
    "nodeSelector": {"disk": "hdd", "zone": "a"},
    "tolerations": [SPOT],
    "annotations": {"example.com/mine": "1", "example.com/note": "other"},
    "runtimeClass": "gvisor",
}


@pytest.mark.parametrize("option", CHOSEN)
def test_an_agent_chooses_only_what_its_target_leaves_to_agents(option: str) -> None:
    with pytest.raises(UnsupportedError) as refused:
        made(settings({}), **{option: CHOSEN[option]})
    assert refused.value.field == f"spec.options.{option}"
    made(settings({}, agentsMay=[option]), **{option: CHOSEN[option]})


def test_what_an_agent_chooses_is_in_its_pod_and_the_template_of_its_target_wins() -> None:
    found = made(settings(WHOLE, agentsMay=list(CHOSEN), runtimeClass="kata"), **CHOSEN)
    assert found["spec"]["nodeSelector"] == {"disk": "ssd", "zone": "a"}
    assert found["spec"]["tolerations"].count(SPOT) == 2
    assert found["metadata"]["annotations"] == {"example.com/mine": "1", "example.com/note": "hello"}
    assert found["spec"]["runtimeClassName"] == "gvisor"


def test_an_agent_s_annotations_do_not_free_it() -> None:
    annotations = {"container.apparmor.security.beta.kubernetes.io/agent": "unconfined"}
    with pytest.raises(InvalidError):
        made(settings({}, agentsMay=["annotations"]), annotations=annotations)
