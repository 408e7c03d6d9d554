"""Which policy a session gets."""

from __future__ import annotations

from sac_core.errors import InvalidError, UnavailableError
from sac_core.models.recording import RecordingPolicy, at_least
from sac_core.models.session import SessionSpec
from sac_core.service.recording.recorder import NAME
from sac_core.service.services import Services


def recorded(services: Services, spec: SessionSpec) -> dict[str, RecordingPolicy]:
    """What of a new session's spec says how it is recorded: the server's policy, or a stronger one that was asked for.

    Raises `InvalidError` when less was asked for, `UnavailableError` when there is no recorder for a strict one.
    """
    policy = spec.recording or services.recording
    if not at_least(policy, services.recording):
        raise InvalidError(
            f"this server records sessions {services.recording}",
            field="spec.recording",
            hint=f"leave it out, or ask for no less than {services.recording}",
        )
    if policy == "strict" and NAME not in services.stages.opened:
        raise UnavailableError(
            f"there is no recorder: {services.stages.failed.get(NAME, 'it is not loaded')}",
            reason="RecordingUnavailable",
            field="spec.recording",
            hint="see: sac plugins",
        )
    return {} if policy == "off" else {"recording": policy}
