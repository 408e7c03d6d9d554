"""What an engine refuses or fails to do, as errors of ours, with what a person can do about it."""

from __future__ import annotations

import os

from sac_core.errors import ConflictError, LaunchError, SacError, UnavailableError, UnsupportedError
from sac_executor_docker.address import Address


class Refusal(UnavailableError):
    """The engine answered with an error; ``status`` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        hint = "set plugins.docker.tls" if "HTTPS server" in message else None
        super().__init__(f"the engine says: {message}", reason="EngineRefused", hint=hint, retry_after=5)
        self.status = status
        self.said = message


class EngineAbsent(UnavailableError):
    """The engine does not answer."""

    @classmethod
    def of(cls, address: Address, error: Exception) -> EngineAbsent:
        """With advice that fits what happened."""
        what, hint = _diagnosis(address, error)
        return cls(f"{address.host}: {what}", hint=hint, retry_after=10)


def _diagnosis(address: Address, error: Exception) -> tuple[str, str]:
    text = str(error) or type(error).__name__
    socket_trouble = _socket_trouble(address.socket) if address.socket else None
    if socket_trouble is not None:
        return socket_trouble
    if "imed out" in text:
        return "the engine does not answer in time", "see its log: journalctl -u docker"
    if "ertificate" in text or "SSL" in text:
        return f"the certificates do not fit: {text[:300]}", "check plugins.docker.tls"
    return f"the engine does not answer: {text[:300]}", "start it: systemctl start docker"


def _socket_trouble(path: str) -> tuple[str, str] | None:
    try:
        os.stat(path)
        allowed = os.access(path, os.R_OK | os.W_OK)
    except PermissionError:
        allowed = False
    except OSError:
        return "there is no socket", "install Docker and start it (systemctl start docker), or set DOCKER_HOST"
    if not allowed:
        return "this user may not use the socket", "join the group docker (usermod -aG docker USER) and sign in again"
    return None


_PASSING = (
    "connection refused",
    "connection reset",
    "no such host",
    "server misbehaving",
    "temporary failure",
    "network is unreachable",
    "no route to host",
    "timeout",
    "timed out",
    "deadline exceeded",
    "unexpected eof",
    "too many requests",
    "toomanyrequests",
    "status: 5",
    "internal server error",
    "bad gateway",
    "service unavailable",
    "no space left on device",
    "cannot allocate memory",
    "too many open files",
    "resource temporarily unavailable",
)
"""Words of registries and engines about what may be over in a while."""


def passing(said: str) -> bool:
    """Whether it may go well a while later."""
    return any(words in said.lower() for words in _PASSING)


_DENIED = ("denied", "unauthorized", "authentication required", "forbidden", "credentials")
_MISSING = ("manifest unknown", "no matching manifest", "not found", "does not exist")


def image_error(image: str, said: str) -> LaunchError | UnavailableError:
    """Why an image is not to be had, or not now, in the registry's own words."""
    denied, missing = (any(word in said.lower() for word in words) for words in (_DENIED, _MISSING))
    if passing(said) and not denied and not missing:
        return UnavailableError(f"{image}: {said}", reason="ImageNotPulled", field="spec.image", retry_after=10)
    hint = "docker login as the user who runs SAC, or check the name" if denied else "check the name and the tag"
    return LaunchError(f"{image}: {said}", reason="ImageNotFound", field="spec.image", hint=hint)


def refused_launch(refusal: Refusal) -> SacError:
    """A container that cannot be made or started: what the user wrote is wrong, or the engine is in trouble."""
    if refusal.status == 409:
        return ConflictError(f"the engine has another container of this name: {refusal.said}")
    if passing(refusal.said):
        return refusal
    if "could not select device driver" in refusal.said:
        hint = "install the NVIDIA Container Toolkit on the engine's machine, or remove it"
        return UnsupportedError(refusal.said, field="spec.resources.gpus", hint=hint)
    if "storage-opt" in refusal.said.lower() or "storage opt" in refusal.said.lower():
        hint = "mount the engine's data with pquota, or remove it"
        return UnsupportedError(refusal.said, field="spec.resources.disk", hint=hint)
    if refusal.status in (400, 404) or "OCI runtime" in refusal.said or "executable file" in refusal.said:
        return LaunchError(refusal.said, field="spec", hint="check image, command and limits")
    return refusal
