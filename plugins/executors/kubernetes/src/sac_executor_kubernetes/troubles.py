"""What a cluster refuses or fails to do, as errors of ours, with what a person can do about it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sac_core.errors import ConflictError, LaunchError, SacError, UnavailableError

_BUSY = 429
_QUOTA = "exceeded quota"


class Refusal(UnavailableError):
    """The cluster answered with an error; ``status`` is that of HTTP, ``said`` are its words."""

    def __init__(self, status: int, said: str, retry_after: float | None = None) -> None:
        hint = "see sac doctor for the rights that SAC needs" if status in (401, 403) else None
        super().__init__(f"the cluster says: {said}", reason="ClusterRefused", hint=hint, retry_after=retry_after or 5)
        self.status = status
        self.said = said


class ClusterAbsent(UnavailableError):
    """The cluster does not answer."""

    def __init__(self, server: str, said: str, *, untrusted: bool = False) -> None:
        hint = "check the kubeconfig's certificate authority" if untrusted else "is it up? try kubectl get --raw /livez"
        super().__init__(f"{server}: {said}", hint=hint, retry_after=10)


def no_cluster() -> UnavailableError:
    """Settings that name no cluster."""
    return UnavailableError("no cluster is named", hint="set plugins.kubernetes.kubeconfig", retry_after=60)


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    """From an answer with an error: what the cluster's Status object says."""
    try:
        said = str(json.loads(body).get("message") or "")
    except (ValueError, AttributeError):
        said = ""
    after = headers.get("Retry-After", "")
    return Refusal(status, (said or f"HTTP {status}")[:600], float(after) if after.isdecimal() else None)


def refused_launch(error: Refusal) -> SacError:
    """Objects that the cluster does not take: the spec is wrong, or not allowed, or somebody was quicker."""
    if error.status == 409:
        return ConflictError(f"somebody else changes this body: {error.said}")
    if error.status == 403 and _QUOTA in error.said:
        return UnavailableError(error.said, reason="QuotaExceeded", hint="delete something, or ask for more quota")
    if error.status == 403:
        return LaunchError(error.said, reason="Forbidden", hint="see sac doctor for the rights that SAC needs")
    if error.status in (400, 422):
        return LaunchError(error.said, field="spec")
    return error
