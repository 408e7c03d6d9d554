"""From the references of a launch to values: opened just before a body or a process is, and kept nowhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sac_core.contracts.store import Reader, Record, Scope
from sac_core.errors import LaunchError, NotFoundError, NotReadyError, UnavailableError
from sac_core.models import transitions
from sac_core.models.agent import Agent
from sac_core.models.launch import NO_SECRETS, Launch, Secrets
from sac_core.models.principal import SYSTEM
from sac_core.models.secret_use import BoundSecret, SecretVersion
from sac_core.models.workspace import Clone
from sac_core.service.agent_work import Work
from sac_core.service.bodies import Body
from sac_core.service.secrets import Values, values_of
from sac_core.service.services import Services

log = logging.getLogger("sac.secrets")

LONGEST_VARIABLE = 128 * 1024 - 256
"""Bytes that Linux takes of one variable, with some for its name."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The values of an agent's secrets, and which versions they are."""

    secrets: Secrets
    versions: tuple[SecretVersion, ...]


Login = tuple[str, str]
"""User and password."""

USERNAME, PASSWORD = "username", "password"
"""The keys of a login's values."""

NOTHING = Opened(NO_SECRETS, ())


async def environment(services: Services, agent: Agent, launch: Launch, body: Body) -> dict[str, str]:
    """The variables of a process that is about to be opened in a body; raises as `open_secrets`."""
    sockets = {outlet.variable: f"{body.folder}/{outlet.file}" for outlet in launch.binding.outlets}
    env = {**launch.binding.env, **sockets}
    if not any(use.env for use in launch.binding.secrets):
        return env
    return {**env, **(await open_secrets(services, agent, launch)).secrets.env}


async def open_secrets(services: Services, agent: Agent, launch: Launch) -> Opened:
    """The values that a launch refers to.

    Raises `LaunchError` (``SecretNotFound``, ``InvalidSpec``) when one is not there or does not fit, `NotReadyError`
    when it cannot be opened now.
    """
    uses = launch.binding.secrets
    if not uses:
        return NOTHING
    reader = _reader(services, agent)
    records = await _records(reader, uses)
    values, versions = dict[str, Values](), []
    for name, record in records.items():
        version, values[name] = await _opened(services, reader, record)
        versions.append(SecretVersion(name=name, uid=record.uid, version=version))
        log.info("secret %s, version %d, goes into agent %s/%s", name, version, record.tenant, agent.metadata.name)
    return Opened(_secrets(uses, values), tuple(versions))


async def login_of(work: Work, clone: Clone) -> Login | None:
    """User and password for a clone, when it has a secret; raises as `open_secrets`."""
    if clone.secret is None:
        return None
    use = BoundSecret(name=clone.secret, owner=clone.owner, file="login")
    reader = _reader(work.services, work.agent)
    record = (await _records(reader, (use,), "spec.workspace.git.secret"))[clone.secret]
    _, values = await _opened(work.services, reader, record)
    password = values[PASSWORD] if PASSWORD in values else next(iter(values.values()))
    if PASSWORD not in values and len(values) > 1:
        raise _unfit(clone.secret, f"has several keys, and none is {PASSWORD!r}")
    return _line(clone.secret, values.get(USERNAME, b"git")), _line(clone.secret, password)


def _line(name: str, value: bytes) -> str:
    """A value as one line, which is what git takes; the line break at the end of a file is none of it."""
    try:
        text = value.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise _unfit(name, "is not text") from None
    if not text or any(sign in text for sign in "\r\n\0"):
        raise _unfit(name, "is empty, or has more than one line")
    return text


def _unfit(name: str, why: str) -> LaunchError:
    return LaunchError(
        f"secret {name!r} {why}, so git cannot use it",
        field="spec.workspace.git.secret",
        hint="keep it again, then: sac restart",
    )


async def renewed(work: Work, launch: Launch) -> Work:
    """An agent that runs, with what changed of its secrets delivered; its body and its processes go on."""
    uses, status = launch.binding.secrets, work.agent.status
    if not uses and not status.secrets:
        return work
    now = work.services.now()
    try:
        versions = tuple(_versions(await _records(_reader(work.services, work.agent), uses)))
        if versions != status.secrets:
            opened = await open_secrets(work.services, work.agent, launch)
            if any(use.file or use.option for use in uses):
                await work.ensure(launch, opened.secrets)
            versions = opened.versions
    except LaunchError as error:
        return work.with_status(transitions.secrets_missing(status, now, error.reason, str(error)))
    return work.with_status(transitions.delivered(status, now, versions))


def _reader(services: Services, agent: Agent) -> Reader:
    return services.store.read(Scope(SYSTEM, agent.metadata.namespace))


async def _records(reader: Reader, uses: tuple[BoundSecret, ...], field: str = "") -> Mapping[str, Record]:
    """The secrets by name; one that is another's by now is not there."""
    found: dict[str, Record] = {}
    for number, use in enumerate(uses):
        if use.name in found:
            continue
        try:
            record = await reader.get("Secret", use.name)
        except NotFoundError:
            raise _gone(use, field or use.field or f"spec.secrets.{number}.name") from None
        if record.owner != use.owner:
            raise _gone(use, field or use.field or f"spec.secrets.{number}.name")
        found[use.name] = record
    return found


def _versions(records: Mapping[str, Record]) -> Iterator[SecretVersion]:
    for name, record in records.items():
        yield SecretVersion(name=name, uid=record.uid, version=record.status["version"])


async def _opened(services: Services, reader: Reader, record: Record) -> tuple[int, Values]:
    try:
        return await values_of(services, reader, record)
    except NotFoundError as error:  # it went between two reads: the next look says so
        raise NotReadyError(error.message) from None
    except UnavailableError as error:
        raise NotReadyError(
            f"secret {record.name!r} cannot be opened: {error.message}",
            reason=error.reason,
            field=error.field,
            hint=error.hint,
        ) from None


def _secrets(uses: tuple[BoundSecret, ...], values: Mapping[str, Values]) -> Secrets:
    secrets = Secrets()
    for number, use in enumerate(uses):
        value = _chosen(use, number, values[use.name])
        if use.file is not None:
            secrets.files[use.file] = value
        elif use.option is not None:
            secrets.options[use.option] = _text(use, number, value)
        elif use.env is not None:
            secrets.env[use.env] = _text(use, number, value)
    return secrets


def _chosen(use: BoundSecret, number: int, values: Values) -> bytes:
    if use.key is None and len(values) == 1:
        return next(iter(values.values()))
    if use.key is None or use.key not in values:
        raise LaunchError(
            f"secret {use.name!r} has no key {use.key!r}" if use.key else f"secret {use.name!r} has several keys",
            field=use.field or f"spec.secrets.{number}.key",
            hint=f"it has: {', '.join(sorted(values))}",
        )
    return values[use.key]


def _text(use: BoundSecret, number: int, value: bytes) -> str:
    """A value as a variable holds it; an error says what is wrong, never what it is."""
    wrong = "is too long" if len(value) > LONGEST_VARIABLE else "holds a NUL byte" if b"\0" in value else ""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        wrong, text = "is not text", ""
    if wrong:
        message = f"secret {use.name!r} {wrong}, so it cannot be {'an option' if use.option else 'a variable'}"
        raise LaunchError(
            message, field=use.field or f"spec.secrets.{number}.env", hint=None if use.option else "use file instead"
        )
    return text


def _gone(use: BoundSecret, field: str) -> LaunchError:
    return LaunchError(
        f"there is no secret {use.name!r}",
        reason="SecretNotFound",
        field=field,
        hint=f"keep it again: sac secrets put {use.name}; then start the agent",
    )
