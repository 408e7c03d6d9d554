"""`sac deploy`: a kustomization without secrets, whose parts fit each other, and which keeps what was filled in."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from sac_core.cli import installation
from sac_core.cli.app import main
from sac_core.settings import Settings, load_settings

GIVEN = ("--namespace", "plat", "--image", "registry.example.com:5000/team/sac:0.1.0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the command writes."""
    out = tmp_path / "made"
    origins = ("--origin", "https://sac.example.org", "--origin", "http://10.0.0.7:8080")
    assert main(["deploy", "kustomize", "--out", str(out), *GIVEN, *origins]) == 0
    return out


def objects(folder: Path) -> list[dict[str, Any]]:
    """Everything that the kustomization names."""
    names = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    return [each for name in names for each in yaml.safe_load_all((folder / name).read_text())]


def one(folder: Path, kind: str) -> dict[str, Any]:
    (found,) = [each for each in objects(folder) if each["kind"] == kind]
    return found


def settings_in(folder: Path) -> dict[str, str]:
    """The variables of a server that are no secrets."""
    (made,) = yaml.safe_load((folder / "kustomization.yaml").read_text())["configMapGenerator"]
    return dict(line.split("=", 1) for line in made["literals"])


def test_its_settings_are_those_of_a_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings_in(folder).items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.host == "0.0.0.0"
    assert settings.origins[:3] == ("https://sac.example.org", "http://10.0.0.7:8080", "http://sac.plat")
    assert settings.plugins == {"kubernetes": {"namespace": "plat-agents", "serviceAccount": "sac-agent"}}


def test_nothing_of_the_template_is_left(folder: Path) -> None:
    for file in folder.iterdir():
        assert "$" not in file.read_text(), file


def test_names_meet(folder: Path) -> None:
    pod, service = one(folder, "Deployment")["spec"]["template"], one(folder, "Service")
    (container,) = pod["spec"]["containers"]
    assert service["spec"]["selector"] == pod["metadata"]["labels"]
    assert {each["name"] for each in container["ports"]} == {each["targetPort"] for each in service["spec"]["ports"]}
    assert one(folder, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]
    assert one(folder, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"] == "sac"
    (rule,) = one(folder, "Ingress")["spec"]["rules"]
    assert rule["host"] == "sac.example.org"
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "sac", "port": {"name": "http"}}
    (subject,) = one(folder, "RoleBinding")["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": pod["spec"]["serviceAccountName"], "namespace": "plat"}
    spaces = {each["metadata"]["name"] for each in objects(folder) if each["kind"] == "Namespace"}
    assert spaces == {"plat", "plat-agents"}
    assert {each["metadata"].get("namespace", "") for each in objects(folder)} == {"", *spaces}


def test_the_image_is_as_it_was_given(folder: Path, tmp_path: Path) -> None:
    def images(out: Path) -> Any:
        return yaml.safe_load((out / "kustomization.yaml").read_text())["images"]

    place = "registry.example.com:5000/team/sac"
    assert images(folder) == [{"name": "sac", "newName": place, "newTag": "0.1.0"}]
    digest = f"sha256:{'0a' * 32}"
    assert main(["deploy", "kustomize", "--out", str(tmp_path / "two"), "--image", f"{place}@{digest}"]) == 0
    assert images(tmp_path / "two") == [{"name": "sac", "newName": place, "digest": digest}]
    assert one(folder, "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"] == "sac"


def test_servers_have_no_rights_where_they_run(folder: Path) -> None:
    for kind in ("Role", "RoleBinding"):
        assert one(folder, kind)["metadata"]["namespace"] == "plat-agents"
    assert not any(each["kind"].startswith("Cluster") for each in objects(folder))


def test_servers_are_kept_in(folder: Path) -> None:
    pod = one(folder, "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("name", ["SAC_DATABASE", "SAC_KEYS", "SAC_TOKEN"])
def test_secrets_are_in_one_private_file_that_is_filled_in_by_people(folder: Path, name: str) -> None:
    lines = (folder / "secrets.env").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{name}=")]
    assert "REPLACE-ME" in line
    assert name.removeprefix("SAC_").lower() in Settings.model_fields
    assert stat.S_IMODE((folder / "secrets.env").stat().st_mode) == 0o600
    assert (folder / ".gitignore").read_text() == "secrets.env\n"


def test_a_server_does_not_start_with_the_words_of_the_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in (folder / "secrets.env").read_text().splitlines():
        if not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))
    monkeypatch.setenv("SAC_DATA_DIR", str(tmp_path / "data"))
    assert main(["up"]) == 1
    assert "SAC_TOKEN" in capsys.readouterr().err


def test_what_was_filled_in_stays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "secrets.env").write_text("SAC_TOKEN=mine\n")
    (folder / "ingress.yaml").write_text("")
    assert main(["deploy", "kustomize", "--out", str(folder), *GIVEN]) == 0
    assert (folder / "secrets.env").read_text() == "SAC_TOKEN=mine\n"
    assert one(folder, "Ingress")["spec"]["rules"][0]["host"] == "sac.example.com"
    assert "stays as it was" in capsys.readouterr().out


def test_without_a_folder_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", "kustomize"]) == 0
    said = capsys.readouterr().out
    for name in (*installation.FILES, installation.AGENTS_FILE):
        assert f"# ---- {name}\n" in said
    assert json.dumps("https://sac.example.com") in said


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (("--image", "sac"), "--image"),
        (("--image", "sac:1 2"), "--image"),
        (("--namespace", "Plat"), "--namespace"),
        (("--namespace", "one", "--agents", "one"), "--agents"),
        (("--origin", "sac.example.com"), "--origin"),
        (("--origin", 'https://a"b'), "--origin"),
    ],
)
def test_what_no_cluster_would_take_is_named(
    tmp_path: Path, given: tuple[str, ...], field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deploy", "kustomize", "--out", str(tmp_path / "made"), *given]) == 1
    assert f"sac: {field}: " in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


def test_without_the_executor_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installation, "EXECUTOR", "sac_executor_nowhere")
    assert main(["deploy", "kustomize"]) == 1
    assert "sac-core[kubernetes]" in capsys.readouterr().err
