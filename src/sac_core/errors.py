"""Every error that SAC raises on purpose; what a caller may catch, and nothing else belongs here.

SacError
├── InvalidError          input is wrong: names the field and the fix
│   └── TooLargeError     input is right in form but over a bound
├── UnauthenticatedError  nobody we know is asking
├── ForbiddenError        known, but not allowed
├── NotFoundError         no such thing in the caller's sight
├── ConflictError         lost a compare-and-set, or the name is taken
├── ExpiredError          a version or code that was valid once
├── NotReadyError         right request, too early: the thing has not got there yet
├── UnsupportedError      this executor, runtime or body cannot do it
├── LaunchError           a body cannot be made; retrying is useless
├── UnavailableError      a part that we need does not answer; retrying may help
│   └── DeadlineError     it took longer than allowed
├── LostError             a stream, process or body went away under us
└── ConfigurationError    SAC itself, or a plugin, is set up wrongly
"""

from __future__ import annotations

from typing import ClassVar


class SacError(Exception):
    """The root of the tree.

    ``reason`` is stable and meant for programs, ``message`` for people; ``field`` is the dotted path of the input at
    fault, ``hint`` says what to do.
    """

    default_reason: ClassVar[str] = "Error"

    def __init__(
        self, message: str, *, reason: str | None = None, field: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.field = field
        self.hint = hint

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        advice = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{advice}"


class InvalidError(SacError):
    """Input is wrong; ``field`` names it."""

    default_reason = "Invalid"


class TooLargeError(InvalidError):
    """Input exceeds a bound."""

    default_reason = "TooLarge"


class UnauthenticatedError(SacError):
    """No credential, or one that we do not accept."""

    default_reason = "Unauthenticated"


class ForbiddenError(SacError):
    """The principal is known and may not do this."""

    default_reason = "Forbidden"


class NotFoundError(SacError):
    """Nothing of that name in the caller's sight; another tenant's thing is not found either."""

    default_reason = "NotFound"


class ConflictError(SacError):
    """A compare-and-set was lost or a name is taken; ``current`` is the resource version to read again, if known.

    ``told`` are reason, field and hint, as for every `SacError`.
    """

    default_reason = "Conflict"

    def __init__(self, message: str, *, current: str | None = None, **told: str | None) -> None:
        super().__init__(message, **told)
        self.current = current


class ExpiredError(SacError):
    """A resource version or a code that is too old; start again from a list or ask for a new code."""

    default_reason = "Expired"


class NotReadyError(SacError):
    """The thing exists but has not reached the state that the request needs."""

    default_reason = "NotReady"


class UnsupportedError(SacError):
    """This executor, runtime or body cannot do what was asked; it is refused, never ignored."""

    default_reason = "Unsupported"


class LaunchError(SacError):
    """A body cannot be made from this Launch; ``reason`` is one of the closed list of Failed reasons."""

    default_reason = "InvalidSpec"


class UnavailableError(SacError):
    """Something that we need does not answer; ``retry_after`` is in seconds.

    ``told`` are reason, field and hint, as for every `SacError`.
    """

    default_reason = "Unavailable"

    def __init__(self, message: str, *, retry_after: float | None = None, **told: str | None) -> None:
        super().__init__(message, **told)
        self.retry_after = retry_after


class DeadlineError(UnavailableError):
    """It took longer than the caller allowed; what was begun may still complete."""

    default_reason = "DeadlineExceeded"


class LostError(SacError):
    """A stream, a process or a body went away while in use."""

    default_reason = "Lost"


class ConfigurationError(SacError):
    """SAC or a plugin is set up wrongly; ``hint`` says which setting to change."""

    default_reason = "Misconfigured"
