"""The docker SDK. It is imported with the first call of an engine that somebody answers for: that takes its time.

The SDK's streams (`exec_start`, `attach`) are not used: they lose what arrives with the headers. See `streams`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import docker
import docker.auth
import docker.errors
import docker.tls

from sac_executor_docker.address import Address
from sac_executor_docker.troubles import EngineAbsent, Refusal

_OLDEST = "1.41"
_FIRST = 5.0
"""Seconds in which an engine says what it speaks: long enough to tell that it is there and does not answer."""


def connect(address: Address, timeout: float) -> docker.APIClient:
    """A client that speaks the engine's own version, which is asked for first."""
    first = _made(address, _OLDEST, min(timeout, _FIRST))
    try:
        version = str(first.version(api_version=False)["ApiVersion"])
    finally:
        first.close()
    return _made(address, version, timeout)


def login(client: docker.APIClient, image: str) -> str | None:
    """The header with the user's login at an image's registry, if there is one."""
    registry, _ = docker.auth.resolve_repository_name(image)
    header: str | None = docker.auth.get_config_header(client, registry)
    return header


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """What the SDK raises, as errors of ours."""
    try:
        yield
    except docker.errors.APIError as error:
        raise Refusal(error.status_code or 500, str(error.explanation or error)) from None
    except (docker.errors.DockerException, OSError) as error:  # requests' errors are OSErrors
        raise EngineAbsent.of(address, error) from None


def _made(address: Address, version: str, timeout: float) -> docker.APIClient:
    """Without what the environment says of certificates: REQUESTS_CA_BUNDLE would replace our own."""
    client = docker.APIClient(address.host, version=version, timeout=timeout, tls=_tls(address))
    client.trust_env = False
    return client


def _tls(address: Address) -> docker.tls.TLSConfig | bool:
    folder = address.tls
    if folder is None:
        return False
    client = (str(folder / "cert.pem"), str(folder / "key.pem"))
    return docker.tls.TLSConfig(client_cert=client, ca_cert=str(folder / "ca.pem"), verify=True)
