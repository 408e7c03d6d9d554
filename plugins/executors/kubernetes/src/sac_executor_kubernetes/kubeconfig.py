"""Where a cluster is and as whom to call it: a kubeconfig, of which only an allow-list is used, or the pod's own.

A kubeconfig is code: it can name programs to run. What is not in the list is refused by its name. A text that came
through SAC's API names no files either; a file of the operator may, for certificates and keys.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sac_core.errors import ConfigurationError
from sac_executor_kubernetes.addresses import refused
from sac_executor_kubernetes.documents import AliasError, DocumentError, read_document
from sac_executor_kubernetes.settings import KubernetesSettings

INSIDE = Path("/var/run/secrets/kubernetes.io/serviceaccount")
LARGEST = 64 * 1024
_SERVER = re.compile(r"https://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")
_CLUSTER = frozenset({"server", "certificate-authority-data", "tls-server-name"})
_USER = frozenset({"token", "client-certificate-data", "client-key-data"})
_CONTEXT = frozenset({"cluster", "user", "namespace"})
_FILES = {
    "certificate-authority": "certificate-authority-data",
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
}
"""Keys of a file of the operator's own, and what they stand for; their contents are read at once."""


@dataclass(frozen=True, slots=True)
class Access:
    """A cluster, and who we are there. ``token_file`` is read again as its token changes."""

    server: str
    namespace: str
    authority: bytes | None = None
    server_name: str | None = None
    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)


def find_access(settings: KubernetesSettings) -> Access | None:
    """The cluster of the settings; None when they name none, for nobody's cluster is called unasked.

    Raises `ConfigurationError` that names what is wrong; contacts nobody.
    """
    access = _found(settings)
    if access is None or settings.namespace is None:
        return access
    return replace(access, namespace=settings.namespace)


def _found(settings: KubernetesSettings) -> Access | None:
    if settings.kubeconfig_text is not None:
        if settings.kubeconfig is not None:
            raise _wrong("a file and a text of a kubeconfig are both given", "give one of them")
        return read_kubeconfig(settings.kubeconfig_text.get_secret_value(), settings.context)
    if settings.kubeconfig is None:
        return _inside() if settings.namespace is not None and (INSIDE / "token").exists() else None
    path = settings.kubeconfig.expanduser()
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise _wrong(f"{path}: {error.strerror}", "name a kubeconfig file") from None
    return read_kubeconfig(text.decode("utf-8", "replace"), settings.context, folder=path.resolve().parent)


def _inside() -> Access:
    """The cluster that SAC runs in, as its pod's service account."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    place = f"[{host}]" if ":" in host else host or "kubernetes.default.svc"
    return Access(
        server=f"https://{place}:{port}",
        namespace=(INSIDE / "namespace").read_text().strip(),
        authority=(INSIDE / "ca.crt").read_bytes(),
        token_file=INSIDE / "token",
    )


def read_kubeconfig(text: str, context: str | None = None, *, folder: Path | None = None) -> Access:
    """From a kubeconfig's text, whose files are below ``folder``; without one it may name none."""
    config = _parsed(text)
    name = context or config.get("current-context")
    chosen = _kept(_entry(config, "contexts", "context", name), _CONTEXT, "context", None)
    cluster = _kept(_entry(config, "clusters", "cluster", chosen.get("cluster")), _CLUSTER, "cluster", folder)
    user = _kept(_entry(config, "users", "user", chosen.get("user")), _USER, "user", folder)
    server = str(cluster.get("server") or "")
    _check_server(server)
    return Access(
        server=server.rstrip("/"),
        namespace=str(chosen.get("namespace") or "default"),
        authority=_bytes(cluster, "certificate-authority-data"),
        server_name=cluster.get("tls-server-name"),
        token=user.get("token"),
        certificate=_bytes(user, "client-certificate-data"),
        key=_bytes(user, "client-key-data"),
    )


def _check_server(server: str) -> None:
    """An address that every part of SAC reads alike, and that may be a cluster's."""
    found = _SERVER.fullmatch(server)
    if found is None:
        raise _wrong(f"the server {server!r} has no https:// address", "give https://HOST:PORT")
    if refused(found["host"]):
        raise _wrong(f"the server {server!r} is no cluster's address", "see kubectl config view")


def _parsed(text: str) -> Mapping[str, Any]:
    if len(text) > LARGEST:
        raise _wrong("the kubeconfig is larger than 64 KiB", "give one with this cluster alone")
    try:
        config = read_document(text)
    except AliasError:
        raise _wrong("the kubeconfig has aliases", "write it out") from None
    except DocumentError:
        raise _wrong("the kubeconfig is no YAML", "see kubectl config view") from None
    if not isinstance(config, dict):
        raise _wrong("the kubeconfig is no mapping", "see kubectl config view")
    return config


def _entry(config: Mapping[str, Any], kind: str, part: str, name: object) -> Mapping[str, Any]:
    """What is said under a name in one of the lists."""
    entries = config.get(kind)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and name is not None and entry.get("name") == name:
            found = entry.get(part)
            return found if isinstance(found, dict) else {}
    raise _wrong(f"the kubeconfig has no {part} {name!r}", "see kubectl config get-contexts")


def _kept(found: Mapping[str, Any], known: frozenset[str], part: str, folder: Path | None) -> dict[str, Any]:
    """What is in the allow-list; anything else is refused by its name."""
    kept: dict[str, Any] = {}
    for key, value in found.items():
        if folder is not None and key in _FILES and _FILES[key] in known:
            kept[_FILES[key]] = base64.b64encode(_content(folder / str(value))).decode()
        elif key in known:
            kept[key] = value
        elif key != "extensions" or folder is None:
            hint = "use a token or a client certificate, and the cluster's authority, given as data"
            raise _wrong(f"{part}.{key} of the kubeconfig is not used by SAC", hint)
    return kept


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _wrong(f"{path}, which the kubeconfig names: {error.strerror}", "let SAC read it") from None


def _bytes(found: Mapping[str, Any], key: str) -> bytes | None:
    try:
        return base64.b64decode(found[key], validate=True) if found.get(key) else None
    except (binascii.Error, TypeError, ValueError):
        raise _wrong(f"{key} of the kubeconfig is no base64", "see kubectl config view --raw") from None


def _wrong(message: str, hint: str) -> ConfigurationError:
    return ConfigurationError(message, field="plugins.kubernetes.kubeconfig", hint=hint)
