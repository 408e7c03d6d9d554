"""What remembers. `transaction` is the only way to write declared things, and every read takes a scope."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sac_core.contracts.causes import CauseReader, CauseWriter
from sac_core.contracts.chunks import Chunks
from sac_core.contracts.context import State
from sac_core.contracts.leases import Leases
from sac_core.contracts.sealing import DataKeys
from sac_core.models.body import Finding
from sac_core.models.change import Change, Page
from sac_core.models.principal import ALL, SYSTEM, Principal


@dataclass(frozen=True, slots=True)
class Scope:
    """In whose name and in which tenant; tenant ``*`` sees all and is SAC's own.

    ``origin`` says to people where a request came from; nothing is decided by it.
    """

    principal: Principal
    tenant: str
    origin: str = ""

    @property
    def everywhere(self) -> bool:
        """Whether all tenants are in sight."""
        return self.tenant == ALL


EVERYWHERE = Scope(SYSTEM, ALL)
"""SAC's own scope."""


@dataclass(frozen=True, slots=True)
class Record:
    """A declared thing as stored: identity, metadata, wire forms of spec and status, and the columns of work.

    ``resource_version`` is 0 before the first write. ``deadline`` is when the thing wants attention next. ``meta`` has
    what of the metadata has no column: annotations and owner references, in wire form.
    """

    kind: str
    tenant: str
    name: str
    uid: str
    owner: str
    spec: dict[str, Any]
    status: dict[str, Any]
    labels: dict[str, str] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)
    generation: int = 1
    resource_version: int = 0
    created_at: datetime | None = None
    deleted_at: datetime | None = None
    launch: dict[str, Any] | None = None
    deadline: datetime | None = None
    owner_server: str | None = None
    fence: int = 0


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term of a selector: a label key (or a field's wire path), ``= != in notin exists missing``, and values."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What of a kind: labels and fields (`spec.agent`, `status.phase`, `metadata.name`), a page, what is due or owned.

    ``limit`` 0 means all. ``after`` is the token of `Page.next`. Order is by tenant and name.
    """

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()
    limit: int = 0
    after: str | None = None
    due_before: datetime | None = None
    owner: str | None = None


ALL_RECORDS = Query()


@dataclass(frozen=True, slots=True)
class SealedValue:
    """The value of a secret as it is kept beside its record: sealed, in no change that is told."""

    version: int
    sealed: bytes = field(repr=False)


class Reader(ABC):
    """Reads in one scope; what lies outside it is not found."""

    @abstractmethod
    async def get(self, kind: str, name: str) -> Record:
        """One thing by name; raises `NotFoundError`."""

    @abstractmethod
    async def by_uid(self, kind: str, uid: str) -> Record:
        """One thing by uid; raises `NotFoundError`."""

    @abstractmethod
    async def list(self, kind: str, query: Query = ALL_RECORDS) -> Page[Record]:
        """Things of a kind, in order, and the version of the whole read."""

    @abstractmethod
    async def sealed(self, record: Record) -> SealedValue:
        """The value kept beside a record; raises `NotFoundError` when there is none."""


class Unit(Reader):
    """A unit of work: its reads see its writes, all of it is committed or nothing."""

    causes: CauseWriter
    """The timelines of agents, written in this unit."""

    @abstractmethod
    def reading(self, scope: Scope) -> Reader:
        """Reads of another scope in this unit, for a thing of a tenant that needs what belongs to the platform."""

    @abstractmethod
    async def insert(self, record: Record) -> Record:
        """Add, and return it with its version; `ConflictError` (reason ``AlreadyExists``) when the name is taken."""

    @abstractmethod
    async def update(self, record: Record) -> Record:
        """Write all of a record if its ``resource_version`` and ``fence`` are as they were read; else `ConflictError`.

        Status and spec may both differ; kind, tenant, name, uid and ``created_at`` never change.
        """

    @abstractmethod
    async def keep_sealed(self, record: Record, value: SealedValue) -> None:
        """Keep a value beside a record, in place of the one before; it goes with the record."""

    @abstractmethod
    async def defer(self, record: Record, deadline: datetime | None) -> None:
        """Set ``deadline`` alone: no new version, no change is told. Lost silently when the record has gone."""

    @abstractmethod
    async def remove(self, record: Record) -> None:
        """Remove the row, compare-and-set as `update`; watchers are told DELETED with the last object."""


class Store(ABC):
    """Remembers declared things and operational facts. One writer at a time; readers do not wait for it."""

    @abstractmethod
    def read(self, scope: Scope) -> Reader:
        """Reads outside a transaction, each by itself."""

    @abstractmethod
    def transaction(self, scope: Scope) -> AbstractAsyncContextManager[Unit]:
        """A unit of work; committed at the end of the block, rolled back when it raises or is cancelled.

        Raises `UnavailableError` when the database does not answer or is full.
        """

    @abstractmethod
    async def version(self) -> int:
        """The version of the newest committed change."""

    @abstractmethod
    async def changes(
        self, scope: Scope, since: int, *, kinds: Sequence[str] = (), limit: int = 500
    ) -> list[Change[Record]]:
        """Committed changes after version ``since``, in order; `ExpiredError` when they are no longer all kept."""

    @abstractmethod
    async def wait_changed(self, since: int, timeout: float) -> int:
        """Wait until the version exceeds ``since``, at most ``timeout`` seconds; the version then. May be early."""

    @abstractmethod
    def state(self, plugin: str) -> State:
        """The small durable state of a plugin; ``sac`` is the core's own."""

    @abstractmethod
    def leases(self, server: str) -> Leases:
        """What the server of that id owns, and who else is alive."""

    @abstractmethod
    def data_keys(self) -> DataKeys:
        """The wrapped data keys of all tenants."""

    @abstractmethod
    def causes(self, scope: Scope) -> CauseReader:
        """Timelines, outside a transaction."""

    @abstractmethod
    def chunks(self) -> Chunks:
        """The chunks of all recordings."""

    @abstractmethod
    async def prune(self, *, keep: int, causes_since: datetime | None = None) -> None:
        """Forget old changes beyond the newest ``keep``, state that expired, and causes older than ``causes_since``."""

    @abstractmethod
    async def findings(self) -> tuple[Finding, ...]:
        """What an operator should know of the database; one that does not answer is a finding, not an error."""

    @property
    @abstractmethod
    def installation(self) -> str:
        """The installation's id, made with the database: the owner label of every body."""
