"""The one programming surface: the same embedded (`sac_core.open`) and over HTTP (`sac_core.connect`).

Verbs take names, results are frozen models without methods. Every verb raises errors of `sac_core.errors`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, overload

from pydantic import Field

from sac_core.contracts.conversation import Conversation
from sac_core.contracts.files import Files
from sac_core.errors import ConflictError, NotFoundError
from sac_core.models.agent import Agent, AgentPhase, AgentSpec, ExecutorRef
from sac_core.models.base import Model
from sac_core.models.body import Finding, Probe
from sac_core.models.cause import Timeline
from sac_core.models.change import Change, Page, Synced
from sac_core.models.keys import KeyStatus
from sac_core.models.process import Chunk, Exit, TtySize
from sac_core.models.recording import Recording, RecordingPolicy
from sac_core.models.secret import Secret, SecretType, to_data
from sac_core.models.session import Session
from sac_core.models.target import Target
from sac_core.wire.exec import ExecResult
from sac_core.wire.terminal import Role, TerminalEvent

T = TypeVar("T")

_PUT_TRIES = 3


class PluginInfo(Model):
    """A plugin as `sac plugins` shows it; settings and options are JSON schemas.

    ``state``: ``failed`` is not used, ``troubled`` is used and did wrong; ``message`` says why, or what and when.
    """

    name: str
    family: str
    summary: str = ""
    distribution: str = ""
    version: str = ""
    state: Literal["loaded", "troubled", "failed"] = "loaded"
    message: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    isolated: bool | None = None


class Status(Model):
    """What `sac doctor` asks a server: version, installation id, its clock, findings with advice."""

    version: str
    installation: str
    default_executor: str
    time: datetime | None = None
    findings: tuple[Finding, ...] = ()


class Terminal(ABC):
    """An attached viewer. Iterate over it for events; it ends after `Exited`, and leaving it ends nothing but the view.

    ``offset`` is that of the next byte: attach again with it to go on without loss or repetition. ``end`` is where the
    output ended when this viewer attached: what is older is history.
    """

    offset: int
    end: int
    role: Role
    session: str
    tty: TtySize | None

    @abstractmethod
    def __aiter__(self) -> AsyncIterator[TerminalEvent]:
        """Its events, in order, once."""

    @abstractmethod
    async def write(self, data: bytes) -> None:
        """Type. Returns when it is on its way; `Input` events say what arrived. `ForbiddenError` for a watcher."""

    @abstractmethod
    async def resize(self, cols: int, rows: int) -> None:
        """Set the terminal's size; only who controls may."""

    @abstractmethod
    async def signal(self, name: str) -> None:
        """Signal the process group; ``name`` without SIG."""

    @abstractmethod
    async def eof(self) -> None:
        """End the input."""

    @abstractmethod
    async def ack(self, offset: int) -> None:
        """All before ``offset`` was consumed; from the first ack on at most 512 KiB are sent ahead."""

    @abstractmethod
    async def take(self) -> None:
        """Take the input lease; a `RoleChanged` event follows."""


class Exec(ABC):
    """A running command with separate stdout and stderr. Leaving its context ends the command."""

    @abstractmethod
    def output(self) -> AsyncIterator[Chunk]:
        """All of its output, nothing lost; a slow reader makes the command wait."""

    @abstractmethod
    async def write(self, data: bytes) -> None:
        """To its stdin; waits while the command does not read."""

    @abstractmethod
    async def eof(self) -> None:
        """End its stdin."""

    @abstractmethod
    async def signal(self, name: str) -> None:
        """Signal its process group; ``name`` without SIG."""

    @abstractmethod
    async def wait(self) -> Exit:
        """Its end; output must have been read."""


class Resources(ABC, Generic[T]):
    """What every kind has. Documents are wire forms; a verb that the kind lacks raises `UnsupportedError`."""

    @abstractmethod
    async def create_from(self, document: Mapping[str, Any], *, idempotency_key: str | None = None) -> T:
        """Declare a thing from its whole wire form; the same key again within a day returns the first one's result."""

    @abstractmethod
    async def get(self, name: str) -> T:
        """One thing by name; raises `NotFoundError`."""

    @abstractmethod
    async def list(
        self, *, label_selector: str = "", field_selector: str = "", limit: int = 0, after: str | None = None
    ) -> Page[T]:
        """A page by name; ``limit`` 0 is all. Selectors as in Kubernetes: ``a=b,c!=d,e in (f,g),h,!i``."""

    @abstractmethod
    def watch(self, *, label_selector: str = "", since: int | None = None) -> AsyncIterator[Change[T] | Synced]:
        """Changes as they are committed, for ever. Without ``since``: what is there as ADDED first, then `Synced`."""

    @abstractmethod
    async def patch(self, name: str, patch: Mapping[str, Any], *, resource_version: str | None = None) -> T:
        """JSON merge patch (RFC 7396) of metadata.labels, metadata.annotations and spec, in wire form."""

    @abstractmethod
    async def replace_from(self, name: str, document: Mapping[str, Any], *, resource_version: str | None = None) -> T:
        """Write the whole spec, labels and annotations; ``metadata.resourceVersion`` or the argument guards it."""

    @abstractmethod
    async def delete(self, name: str, *, resource_version: str | None = None) -> None:
        """Mark for deletion; what it made is removed first, then its row."""


class Agents(Resources[Agent]):
    """Declared workloads."""

    @abstractmethod
    async def delete(
        self, name: str, *, resource_version: str | None = None, keep_volumes: bool = False, abandon: bool = False
    ) -> None:
        """Mark for deletion: its sessions and its body go first, then its volumes unless they are kept, then its row.

        ``keep_volumes`` sets ``spec.keepVolumes``. ``abandon``: the row goes also when its executor does not answer;
        the body is removed, with its volumes, if that ever answers again. May be asked of one that is being deleted.
        Raises `ConflictError` for one whose volumes are going already, `InvalidError` for both.
        """

    @abstractmethod
    async def create(
        self,
        name: str,
        spec: AgentSpec | Mapping[str, Any] | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Agent:
        """Declare an agent; returns at once, `wait` waits for it to run. A mapping is the wire form (camelCase)."""

    @abstractmethod
    async def start(self, name: str) -> Agent:
        """Want it running; one that completed or failed for good is started anew. Returns at once."""

    @abstractmethod
    async def stop(self, name: str) -> Agent:
        """Want it stopped; its volumes are kept, its sessions end. Returns at once."""

    @abstractmethod
    async def restart(self, name: str) -> Agent:
        """Replace its body by a fresh one; its sessions end. Returns at once."""

    @overload
    async def wait(self, name: str, phase: AgentPhase = "Running", *, timeout: float = 300) -> Agent: ...

    @overload
    async def wait(self, name: str, phase: Literal["absent"], *, timeout: float = 300) -> Agent | None: ...

    @abstractmethod
    async def wait(
        self, name: str, phase: AgentPhase | Literal["absent"] = "Running", *, timeout: float = 300
    ) -> Agent | None:
        """Wait for a phase of the current generation; returns the agent then.

        For ``absent``: the agent as it was seen last, None when there was none to begin with.
        Raises `LaunchError` with the agent's reason when it fails instead, `DeadlineError` after ``timeout`` seconds.
        """

    @abstractmethod
    def logs(self, name: str, *, follow: bool = False, since: int = 0) -> AsyncIterator[Chunk]:
        """Output of the agent's main process; `NotReadyError` when it has none."""

    @abstractmethod
    def converse(self, name: str, *, resume: str | None = None) -> AbstractAsyncContextManager[Conversation]:
        """Talk with a running agent, without a terminal; ``resume`` is what `Started` gave of an earlier conversation.

        Raises `NotReadyError` when the agent does not run, `NotFoundError` when there is nothing to resume,
        `UnsupportedError` when its runtime holds no conversations.
        """

    @abstractmethod
    async def timeline(self, name: str) -> Timeline:
        """What happened to the agent with this uid, else to the newest of this name, and what caused it; newest last.

        It is kept when the agent has gone: 30 days, and at most 200 causes. Raises `NotFoundError`.
        """


class Sessions(Resources[Session]):
    """Lasting uses of agents."""

    @abstractmethod
    async def create(
        self,
        agent: str,
        *,
        command: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        tty: TtySize | tuple[int, int] | None = None,
        recording: RecordingPolicy | None = None,
        idempotency_key: str | None = None,
    ) -> Session:
        """Open a terminal in a running agent; no ``command`` takes the runtime's. Waits until it is open.

        ``recording`` asks for more than the server's policy. Raises `NotReadyError` when the agent does not run.
        """

    @abstractmethod
    def attach(
        self, name: str, *, since: int | None = None, mode: Role | None = None
    ) -> AbstractAsyncContextManager[Terminal]:
        """Become a viewer. No ``since``: from the start of the log. No ``mode``: control if the lease is free."""


class Secrets(Resources[Secret]):
    """Values that agents use by reference. An answer has name, version and keys, never a value.

    ``spec.data`` is what to write: by key a text, or ``{"base64": ...}``. A replacement without it keeps the value.
    """

    async def put(
        self,
        name: str,
        value: str | bytes | Mapping[str, str | bytes],
        *,
        type: SecretType = "opaque",
        labels: Mapping[str, str] | None = None,
    ) -> Secret:
        """Write a secret, new or in place of all of its values; a value alone gets the key ``value``.

        Running bodies go on; what is started in them from now on sees the new value.
        """
        metadata = {"name": name, **({} if labels is None else {"labels": dict(labels)})}
        document = {"metadata": metadata, "spec": {"type": type, "data": to_data(value)}}
        for _ in range(_PUT_TRIES):
            with suppress(ConflictError):  # another one is writing it
                return await self._write(name, document)
        return await self._write(name, document)

    async def _write(self, name: str, document: Mapping[str, Any]) -> Secret:
        try:
            return await self.replace_from(name, document)
        except NotFoundError:
            return await self.create_from(document)


class Recordings(Resources[Recording]):
    """What sessions printed, kept after they have gone."""

    @abstractmethod
    def cast(self, name: str) -> AsyncIterator[bytes]:
        """The recording as asciicast v2, piece by piece; of one that still goes on, what is kept by now.

        Raises `LostError` (reason ``RecordingBroken``) when something of it is missing or was changed.
        """


class Targets(Resources[Target]):
    """Places where agents can run, besides the one that each executor has by itself. They belong to no tenant.

    An answer has no settings that are secret. Settings that are not given when a target is changed, and are secret,
    stay; others may be changed only while no agent is there (`ConflictError`, reason ``InUse``), as it may be deleted.
    """

    async def create(
        self,
        name: str,
        executor: str,
        settings: Mapping[str, Any] | None = None,
        *,
        schedulable: bool = True,
        labels: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Target:
        """Declare a target; returns at once, it is opened behind that. Its status tells what came of it."""
        spec = {"executor": executor, "settings": dict(settings or {}), "schedulable": schedulable}
        document = {"metadata": {"name": name, "labels": dict(labels or {})}, "spec": spec}
        return await self.create_from(document, idempotency_key=idempotency_key)

    @abstractmethod
    async def test(self, name: str) -> Probe:
        """Ask it now what it can do and what is wrong; `UnavailableError` when it cannot be opened or asked."""

    @abstractmethod
    async def set_default(self, name: str, *, executor: str | None = None) -> ExecutorRef:
        """From now on new agents that name its executor and no target go there; those that are there stay.

        ``default`` is the one that each executor has by itself, and needs ``executor``.
        """


class Sac(ABC):
    """SAC, in the name of one principal and in one tenant."""

    agents: Agents
    sessions: Sessions
    secrets: Secrets
    recordings: Recordings
    targets: Targets
    files: Files

    @abstractmethod
    def resources(self, plural: str) -> Resources[Any]:
        """The things of any registered kind, by its plural; `NotFoundError` when no such kind is registered."""

    @abstractmethod
    def watch(
        self, *, kinds: Sequence[str] = (), label_selector: str = "", since: int | None = None
    ) -> AsyncIterator[Change[Any] | Synced]:
        """`Resources.watch` over several kinds (``Agent``, ``Session``) in one order; none means all of them."""

    @abstractmethod
    async def exec(
        self,
        agent: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float = 600,
    ) -> ExecResult:
        """Run a command to its end without input; at most 1 MiB of each stream is returned.

        Raises `DeadlineError` after ``timeout`` seconds; the command is ended then.
        """

    @abstractmethod
    def open_exec(
        self,
        agent: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        stdin: bool = True,
    ) -> AbstractAsyncContextManager[Exec]:
        """Run a command with streams; leaving the context ends it."""

    @abstractmethod
    def build_image(
        self, runtime: str, *, executor: str | None = None, base: str | None = None, tag: str | None = None
    ) -> AsyncGenerator[str]:
        """Build the image of a runtime's agents; yields lines for people, of which the last names the image.

        ``executor`` none is the first that runs images, ``base`` none its own choice, ``tag`` none the name that agents
        without an image look for. Leaving the iteration ends the build. Raises `LaunchError` with what the builder
        said, `UnsupportedError` when the runtime has no recipe, or the executor runs no images.
        """

    @abstractmethod
    async def plugins(self) -> tuple[PluginInfo, ...]:
        """What is installed, and what failed to load and why."""

    @abstractmethod
    async def keys(self) -> KeyStatus:
        """The root keys that protect what is sealed, and how far their rotation has got."""

    @abstractmethod
    async def rotate_keys(self) -> KeyStatus:
        """Begin, or go on, to put everything under the active root key; a new one where SAC keeps it itself.

        Returns at once; `keys` tells the progress. `NotReadyError` when there is no new root key to change to.
        """

    @abstractmethod
    async def status(self) -> Status:
        """The installation's version, id and findings with advice."""
