"""A kubeconfig is code: what is not in the allow-list is refused by its name."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from sac_core.errors import ConfigurationError
from sac_core.testing.fixtures import temporary_context
from sac_executor_kubernetes.kubeconfig import LARGEST, find_access, read_kubeconfig
from sac_executor_kubernetes.opening import open_kubernetes
from sac_executor_kubernetes.settings import KubernetesSettings


def config(user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None) -> str:
    return json.dumps(
        {
            "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:6443/", **(cluster or {})}}],
            "users": [{"name": "u", "user": {"token": "t0ken"} if user is None else user}],
            "contexts": [
                {"name": "one", "context": {"cluster": "c", "user": "u", "namespace": "agents"}},
                {"name": "other", "context": {"cluster": "c", "user": "u"}},
            ],
            "current-context": "one",
        }
    )


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_what_is_used_of_it() -> None:
    user = {"client-certificate-data": encoded(b"C"), "client-key-data": encoded(b"K")}
    text = config(user, {"certificate-authority-data": encoded(b"CA"), "tls-server-name": "kube.example"})
    access = read_kubeconfig(text)
    assert (access.server, access.namespace) == ("https://10.0.0.1:6443", "agents")
    assert (access.authority, access.server_name) == (b"CA", "kube.example")
    assert (access.certificate, access.key, access.token) == (b"C", b"K", None)


def test_another_context_may_be_named() -> None:
    assert read_kubeconfig(config(), "other").namespace == "default"
    with pytest.raises(ConfigurationError, match="no context 'third'"):
        read_kubeconfig(config(), "third")


def test_credentials_are_in_no_repr() -> None:
    assert "t0ken" not in repr(read_kubeconfig(config()))
    assert "t0ken" not in repr(KubernetesSettings(kubeconfig_text=SecretStr(config())))


@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"command": "sh"}},
        {"auth-provider": {"name": "gcp"}},
        {"tokenFile": "/etc/passwd"},
        {"username": "u", "password": "p"},
        {"as": "system:admin", "token": "t"},
        {"client-certificate": "/etc/passwd"},
        {"extensions": []},
    ],
)
def test_what_names_programs_files_or_other_identities_is_refused(user: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=rf"user\.{next(iter(user))}"):
        read_kubeconfig(config(user))


@pytest.mark.parametrize("key", ["insecure-skip-tls-verify", "proxy-url", "certificate-authority", "extensions"])
def test_what_weakens_the_connection_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"cluster\.{key}"):
        read_kubeconfig(config(cluster={key: "x"}))


@pytest.mark.parametrize("key", ["exec", "auth-provider", "tokenFile"])
def test_a_file_of_the_operator_names_no_programs_either(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"user\.{key}"):
        read_kubeconfig(config({key: "x"}), folder=tmp_path)


def test_a_file_of_the_operator_may_name_files_of_certificates(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(b"CA")
    path = tmp_path / "config"
    path.write_text(config(cluster={"certificate-authority": "ca.crt", "extensions": []}))
    access = find_access(KubernetesSettings(kubeconfig=path))
    assert access is not None
    assert access.authority == b"CA"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x 1\nb: *x\n", "aliases"),
        ("{", "no YAML"),
        ("[]", "no mapping"),
        (" " * (LARGEST + 1), "larger"),
        (config().replace("https://", "http://"), "https"),
        (config(cluster={"certificate-authority-data": "%"}), "base64"),
    ],
)
def test_what_is_no_kubeconfig_is_named(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read_kubeconfig(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        find_access(KubernetesSettings(kubeconfig=tmp_path / "nowhere"))


def test_the_namespace_of_the_settings_holds() -> None:
    settings = KubernetesSettings(kubeconfig_text=SecretStr(config()), namespace="mine")
    access = find_access(settings)
    assert access is not None
    assert access.namespace == "mine"


async def test_no_cluster_is_called_that_nobody_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(config())
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    assert find_access(KubernetesSettings()) is None
    with temporary_context() as context:
        async with open_kubernetes(KubernetesSettings(), context) as executor:
            probe = await executor.probe()
    assert not probe.reachable
    assert (probe.findings[0].message, probe.findings[0].level) == ("no cluster is named", "warning")
