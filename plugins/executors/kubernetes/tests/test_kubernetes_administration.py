"""`sac-kubernetes`: what administrators apply has the rights that SAC uses, and agents are told as they are made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sac_core.models.body import Key
from sac_core.models.launch import Launch, Template
from sac_executor_kubernetes.command import main
from sac_executor_kubernetes.holder_files import holder_name, programs
from sac_executor_kubernetes.imagining import OWNER, UID
from sac_executor_kubernetes.isolation import AGENT_USER
from sac_executor_kubernetes.rendering import Plan, pod
from sac_executor_kubernetes.rights import GRANTED
from sac_executor_kubernetes.settings import KubernetesOptions, KubernetesSettings

DOCS = Path(__file__).parents[4] / "docs"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """The objects that the command prints."""
    assert main(arguments) == 0
    return list(yaml.safe_load_all(capsys.readouterr().out))


def of_kind(objects: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in objects if each["kind"] == kind]


def test_the_guide_shows_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["setup"]) == 0
    assert capsys.readouterr().out == (DOCS / "snippets" / "kubernetes.yaml").read_text()


def test_the_role_grants_each_right_that_is_used_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    (role,) = of_kind(printed(capsys, "setup"), "Role")
    granted = {
        (group, resource): tuple(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert granted == GRANTED
    assert not any("secrets" in rule["resources"] or "*" in json.dumps(rule) for rule in role["rules"])


def test_nothing_is_made_outside_of_the_namespace(capsys: pytest.CaptureFixture[str]) -> None:
    objects = printed(capsys, "setup", "--namespace", "boxes")
    assert {each["metadata"].get("namespace", "") for each in objects} == {"", "boxes"}
    (namespace,) = [each for each in objects if "namespace" not in each["metadata"]]
    assert (namespace["kind"], namespace["metadata"]["name"]) == ("Namespace", "boxes")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize(
    ("account", "made", "subject"),
    [
        ("sac", {"sac", "sac-agent"}, ("sac-agents", "sac")),
        ("robot", {"robot", "sac-agent"}, ("sac-agents", "robot")),
        ("sac/server", {"sac-agent"}, ("sac", "server")),
    ],
)
def test_the_role_is_bound_to_one_account(
    capsys: pytest.CaptureFixture[str], account: str, made: set[str], subject: tuple[str, str]
) -> None:
    objects = printed(capsys, "setup", "--service-account", account)
    (binding,) = of_kind(objects, "RoleBinding")
    assert [(each["namespace"], each["name"]) for each in binding["subjects"]] == [subject]
    accounts = of_kind(objects, "ServiceAccount")
    assert {each["metadata"]["name"] for each in accounts} == made
    assert all(each["automountServiceAccountToken"] is False for each in accounts)


def test_there_is_room_for_the_agents_that_were_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    (quota,) = of_kind(printed(capsys, "setup", "--agents", "8"), "ResourceQuota")
    assert quota["spec"]["hard"] == {
        "count/deployments.apps": "8",
        "count/services": "8",
        "pods": "12",
        "requests.cpu": "3000m",
        "requests.memory": "6Gi",
        "requests.ephemeral-storage": "12Gi",
        "limits.cpu": "24",
        "limits.memory": "24Gi",
        "limits.ephemeral-storage": "120Gi",
        "persistentvolumeclaims": "8",
        "requests.storage": "80Gi",
    }


def test_policies_deny_what_is_not_public(capsys: pytest.CaptureFixture[str]) -> None:
    policies = of_kind(printed(capsys, "setup"), "NetworkPolicy")
    everything = [each["spec"] for each in policies if "egress" not in each["spec"]]
    assert everything == [{"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}]
    assert not any("ingress" in each["spec"] for each in policies)
    (rule,) = [rule for each in policies for rule in each["spec"].get("egress", ()) if rule["ports"][0]["port"] == 443]
    closed = {block["ipBlock"]["cidr"]: block["ipBlock"]["except"] for block in rule["to"]}
    assert set(closed) == {"0.0.0.0/0", "::/0"}
    for inside in ("10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"):
        assert inside in closed["0.0.0.0/0"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("--namespace", "Boxes"), "--namespace"),
        (("--service-account", "a/B"), "--service-account"),
        (("--service-account", "a/"), "--service-account"),
        (("--agents", "0"), "--agents"),
    ],
)
def test_what_no_cluster_would_take_is_named(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], field: str
) -> None:
    assert main(["setup", *arguments]) == 1
    said = capsys.readouterr()
    assert field in said.err
    assert said.out == ""


def test_an_agent_is_told_as_it_would_be_made(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    options = {"storage": 1 << 30}
    spec.write_text(json.dumps({"image": "a/b:1", "ports": [{"name": "web", "port": 80}], "options": options}))
    told = printed(capsys, "render", str(spec), "--name", "box", "--settings", '{"namespace": "ns", "grace": 7}')
    assert [each["kind"] for each in told] == ["Deployment", "Service", "PersistentVolumeClaim"]
    assert {each["metadata"]["namespace"] for each in told} == {"ns"}
    template = Template.model_validate({"image": "a/b:1", "ports": [{"name": "web", "port": 80}], "options": options})
    plan = Plan(
        Key("default", "box", UID),
        OWNER,
        Launch(template=template),
        KubernetesOptions(storage=1 << 30),
        holder_name(programs()),
        KubernetesSettings(namespace="ns", grace=7),
    )
    assert told[0]["spec"]["template"]["spec"] == pod(plan)
    assert told[0]["spec"]["template"]["spec"]["securityContext"]["runAsUser"] == AGENT_USER
    assert told[0]["metadata"]["labels"]["agent"] == "box"
    assert told[1]["spec"]["ports"] == [{"name": "web", "port": 80, "targetPort": 80}]


def test_a_whole_agent_has_its_own_name_and_labels(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = tmp_path / "agent.json"
    metadata = {"name": "mine", "labels": {"team": "blue"}}
    spec.write_text(json.dumps({"kind": "Agent", "metadata": metadata, "spec": {"image": "a/b:1"}}))
    told = printed(capsys, "render", str(spec))
    assert [each["kind"] for each in told] == ["Deployment", "Service"]
    labels = told[0]["metadata"]["labels"]
    assert (labels["agent"], labels["team"]) == ("mine", "blue")


@pytest.mark.parametrize(
    ("text", "settings", "field"),
    [
        ("{imag: x}", "{}", "spec.imag"),
        ("{profile: dev-root}", "{}", "spec.profile"),
        ("{options: {storge: 1}}", "{}", "spec.options.storge"),
        ("[", "{}", "SPEC"),
        ("- a", "{}", "SPEC"),
        ("{}", "{", "--settings"),
        ("{}", '{"namespac": "x"}', "--settings.namespac"),
    ],
)
def test_what_could_not_be_created_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, settings: str, field: str
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(text)
    assert main(["render", str(spec), "--settings", settings]) == 1
    assert field in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["render", str(tmp_path / "nowhere.yaml")]) == 1
    assert "nowhere.yaml" in capsys.readouterr().err
