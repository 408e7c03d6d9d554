"""The objects of a body: what keeps an agent in is there, whatever its spec says. Needs no cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sac_core.errors import InvalidError, UnsupportedError
from sac_core.models.body import Key, body_labels
from sac_core.models.launch import Binding, Egress, Launch, Mount, Port, Resources, Template
from sac_executor_kubernetes.refusals import check_launch
from sac_executor_kubernetes.rendering import Plan, claim, deployment, first_deployment, marked, pod, service
from sac_executor_kubernetes.seeing import Decided
from sac_executor_kubernetes.settings import KubernetesOptions, KubernetesSettings

KEY = Key("acme", "builder", "3d6f0c1e-0000-4000-8000-000000000001")
NAME = "sac-3d6f0c1e-0000-4000-8000-000000000001"
HOSTED = KubernetesSettings(
    image="registry.example/agent@sha256:0",
    service_account="sac-agent",
    runtime_class="gvisor",
    priority_class="sac-agents",
    user_namespaces=True,
    image_pull_secrets=("registry",),
)
STRICT: dict[str, Any] = {
    "automountServiceAccountToken": False,
    "serviceAccountName": "sac-agent",
    "enableServiceLinks": False,
    "hostNetwork": False,
    "hostPID": False,
    "hostIPC": False,
    "hostUsers": False,
    "shareProcessNamespace": False,
    "runtimeClassName": "gvisor",
    "priorityClassName": "sac-agents",
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "hostname": "sac",
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "tolerations": [
        {
            "key": "node.kubernetes.io/unreachable",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 900,
        },
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 900},
    ],
    "imagePullSecrets": [{"name": "registry"}],
    "containers": [
        {
            "name": "agent",
            "image": "registry.example/agent@sha256:0",
            "imagePullPolicy": "IfNotPresent",
            "command": [
                *("python3", "-I", "-S", "/opt/sac/start.py", "/run/sac/holder", "/opt/sac/program.py"),
                *("--uid", KEY.uid, "--cwd", "/agent/work", "--foreground", "1", "--grace", "3600"),
            ],
            "env": [
                {"name": "HOME", "value": "/agent/home"},
                {"name": "LANG", "value": "C.UTF-8"},
                {"name": "SAC_SECRETS_DIR", "value": "/run/sac/secrets"},
                {"name": "SAC_WORK", "value": "/agent/work"},
            ],
            "securityContext": {
                "privileged": False,
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
                "procMount": "Default",
            },
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "resources": {
                "requests": {"cpu": "250m", "memory": "536870912", "ephemeral-storage": "1073741824"},
                "limits": {"cpu": "2000m", "memory": "2147483648", "ephemeral-storage": "10737418240"},
            },
            "volumeMounts": [
                {"name": "agent", "mountPath": "/agent"},
                {"name": "run", "mountPath": "/run/sac"},
                {"name": "holder", "mountPath": "/opt/sac", "readOnly": True},
                {"name": "tmp", "mountPath": "/tmp"},
            ],
        }
    ],
    "volumes": [
        {"name": "agent", "emptyDir": {"sizeLimit": "10737418240"}},
        {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "1048576"}},
        {"name": "holder", "configMap": {"name": "sac-holder-1", "defaultMode": 0o444}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "268435456"}},
    ],
}


def plan(launch: Launch, settings: KubernetesSettings = HOSTED) -> Plan:
    return Plan(KEY, "owner", launch, check_launch(launch, settings), "sac-holder-1", settings)


def strict(**template: Any) -> Launch:
    return Launch(template=Template(profile="strict", **template))


def test_the_strict_profile_is_exactly_this() -> None:
    assert pod(plan(strict())) == STRICT


def test_the_dev_profile_differs_in_its_root_alone() -> None:
    dev, exact = pod(plan(Launch())), pod(plan(strict()))
    assert dev["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is False
    for whole in (dev, exact):
        container = whole["containers"][0]
        del container["securityContext"]["readOnlyRootFilesystem"]
        container["volumeMounts"] = [each for each in container["volumeMounts"] if each["name"] != "tmp"]
        whole["volumes"] = [each for each in whole["volumes"] if each["name"] != "tmp"]
    assert dev == exact


def test_a_deployment_has_one_pod_and_never_two_during_an_update() -> None:
    made = deployment(plan(Launch()), version="7", state="up")
    assert made["metadata"]["name"] == NAME
    assert made["metadata"]["resourceVersion"] == "7"
    assert made["spec"]["replicas"] == 1
    assert made["spec"]["strategy"] == {"type": "Recreate"}
    assert made["spec"]["revisionHistoryLimit"] == 1


def test_nothing_but_the_template_is_in_the_pod_so_that_nothing_else_replaces_it() -> None:
    binding = Binding(env={"TOKEN": "value"}, labels={"team": "red"})
    one = deployment(plan(Launch(generation=1)), version="7", state="up")
    other = deployment(plan(Launch(generation=2, binding=binding)), version="7", state="new")
    assert one["spec"] == other["spec"]
    assert other["metadata"]["labels"]["team"] == "red"


def test_labels_of_users_do_not_replace_ours() -> None:
    labels = {"sac/owner": "mine", "app": "other", "team": "red"}
    binding = Binding.model_construct(env={}, files={}, labels=labels, secrets=())  # the model itself refuses them
    launch = Launch(binding=binding, generation=3)
    made = deployment(plan(launch), version="7", state="up")["metadata"]["labels"]
    people = {"app": "sac-agent", "user": "acme", "agent": "builder", "team": "red"}
    assert made == {**people, **body_labels("owner", KEY, generation=3, hash=launch.hash)}


def test_all_of_the_first_deployment_is_in_the_later_one() -> None:
    """So that nothing stays that nobody wants any more."""
    first, later = first_deployment(plan(strict())), deployment(plan(strict()), version="7", state="up")
    assert first["spec"]["replicas"] == 0
    container = first["spec"]["template"]["spec"]["containers"][0]
    assert container.items() <= later["spec"]["template"]["spec"]["containers"][0].items()
    assert first["spec"]["selector"] == later["spec"]["selector"]
    assert first["metadata"]["labels"] == later["metadata"]["labels"]


def test_a_service_has_the_declared_ports_and_belongs_to_the_deployment() -> None:
    made = service(plan(Launch(template=Template(ports=(Port(name="web", port=8080),)))), "uid-1")
    assert made["spec"]["type"] == "ClusterIP"
    assert made["spec"]["ports"] == [{"name": "web", "port": 8080, "targetPort": 8080}]
    assert made["metadata"]["ownerReferences"][0]["uid"] == "uid-1"
    assert service(plan(Launch()), "uid-1")["spec"]["clusterIP"] == "None"


def test_a_volume_is_claimed_when_it_is_asked_for_and_outlives_the_deployment() -> None:
    launch = strict(options={"storage": 1 << 30})
    made = claim(plan(launch))
    assert made["spec"]["resources"] == {"requests": {"storage": str(1 << 30)}}
    assert "ownerReferences" not in made["metadata"]
    assert pod(plan(launch))["volumes"][0] == {"name": "agent", "persistentVolumeClaim": {"claimName": NAME}}


def test_limits_below_what_is_set_aside_set_aside_less() -> None:
    made = pod(plan(strict(resources=Resources(cpu=0.1, memory=1 << 20))))["containers"][0]["resources"]
    assert made["requests"]["cpu"] == made["limits"]["cpu"] == "100m"
    assert made["requests"]["memory"] == made["limits"]["memory"] == str(1 << 20)


@pytest.mark.parametrize(("state", "replicas"), [("new", 1), ("up", 1), ("ending", 0), ("stopped", 0), ("deleting", 0)])
def test_only_some_states_have_a_pod(state: Any, replicas: int) -> None:
    before = Decided("u", generation="1", hash="h", state="up", life="p/0", replicas=1)
    steps = marked(before, state, {"sac/generation": "2"}, life="")
    tests = {each["path"]: each["value"] for each in steps if each["op"] == "test"}
    wanted = {each["path"]: each["value"] for each in steps if each["op"] == "add"}
    assert wanted["/spec/replicas"] == replicas
    assert wanted["/metadata/labels/sac~1generation"] == "2"
    assert tests == {
        "/metadata/uid": "u",
        "/metadata/labels/sac~1generation": "1",
        "/metadata/labels/sac~1hash": "h",
        "/metadata/annotations/sac~1kubernetes.state": "up",
        "/metadata/annotations/sac~1kubernetes.life": "p/0",
        "/spec/replicas": 1,
    }


@pytest.mark.parametrize(
    ("field", "template"),
    [
        ("spec.egress", {"egress": Egress(mode="allow", hosts=("example.com",))}),
        ("spec.egress", {"egress": Egress(mode="none")}),
        ("spec.workspace.folder", {"cwd": "/home/me/project"}),
        ("spec.mounts", {"mounts": (Mount(kind="folder", source="/etc", path="/etc"),)}),
        ("spec.resources.gpus", {"resources": Resources(gpus=1)}),
        ("spec.resources.processes", {"resources": Resources(processes=10)}),
        ("spec.profile", {"profile": "dev-root"}),
    ],
)
def test_what_cannot_be_honoured_is_named(field: str, template: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError) as refused:
        check_launch(Launch(template=Template(**template)), HOSTED)
    assert refused.value.field == field


@pytest.mark.parametrize("options", [{"storage": 1}, {"python": "-c"}, {"python": "a b"}, {"podTemplate": {}}])
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        check_launch(Launch(template=Template(options=options)), HOSTED)


def test_without_settings_of_the_operator_the_cluster_decides() -> None:
    made = pod(replace(plan(Launch()), settings=KubernetesSettings(), options=KubernetesOptions()))
    left_out = {"serviceAccountName", "runtimeClassName", "priorityClassName", "imagePullSecrets", "hostUsers"}
    assert left_out & made.keys() == set()
