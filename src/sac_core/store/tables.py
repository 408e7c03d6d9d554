"""The tables. The first columns of `resources` are the fields of a `Record`, in its order."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

Name = String().with_variant(String(collation="C"), "postgresql")
"""A text that is compared byte by byte, as SQLite does: lists are in this order on every database."""

resources = Table(
    "resources",
    metadata,
    Column("kind", Name, nullable=False),
    Column("tenant", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("uid", Name, primary_key=True),
    Column("owner", String, nullable=False),
    Column("spec", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("meta", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("resource_version", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("launch", Text),
    Column("deadline", BigInteger),
    Column("owner_server", String),
    Column("fence", BigInteger, nullable=False),
    # In this order one index serves a page of one tenant and a page of all.
    UniqueConstraint("kind", "tenant", "name", name="one_name"),
)
_DUE = resources.c.deadline.is_not(None)
Index("due", resources.c.kind, resources.c.deadline, sqlite_where=_DUE, postgresql_where=_DUE)

Index("owned", resources.c.owner_server, resources.c.kind)

labels = Table(
    "labels",
    metadata,
    Column("kind", Name, primary_key=True),
    Column("key", Name, primary_key=True),
    Column("value", Name, primary_key=True),
    Column("tenant", Name, primary_key=True),
    Column("name", Name, primary_key=True),
    Column("uid", Name, nullable=False),
    sqlite_with_rowid=False,
)
Index("labels_of", labels.c.uid, labels.c.key, labels.c.value)

changes = Table(
    "changes",
    metadata,
    Column("rv", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("tenant", String, nullable=False),
    Column("name", String, nullable=False),
    Column("uid", String, nullable=False),
    Column("verb", String, nullable=False),
    Column("object", Text, nullable=False),
)

counter = Table(
    "counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("rv", BigInteger, nullable=False),
    Column("pruned", BigInteger, nullable=False),
    Column("state", BigInteger, nullable=False),
)
"""One row. ``rv`` is the newest version, ``pruned`` the newest one forgotten, ``state`` counts writes of `state`."""

state = Table(
    "state",
    metadata,
    Column("plugin", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
)
_EXPIRES = state.c.expires_at.is_not(None)
Index("expiring", state.c.expires_at, sqlite_where=_EXPIRES, postgresql_where=_EXPIRES)

servers = Table(
    "servers",
    metadata,
    Column("id", String, primary_key=True),
    Column("executors", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
"""Servers that are alive until ``expires_at``, by the database's clock.

``executors`` is a JSON list of the targets that they reach.
"""

installation = Table("installation", metadata, Column("id", String, primary_key=True))

data_keys = Table(
    "data_keys",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("root", String, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)
Index("data_keys_of", data_keys.c.root)

secret_values = Table(
    "secret_values",
    metadata,
    Column("uid", String, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""The value of a secret, sealed, beside its row in `resources`: in no change that is told, and gone with its row."""

causes = Table(
    "causes",
    metadata,
    Column("uid", String, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("tenant", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("key", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("because", Integer),
    Column("details", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Timelines; no row of `resources` is needed for one, so that it outlives its agent."""
Index("causes_named", causes.c.agent, causes.c.tenant, causes.c.last_at)
Index("causes_aged", causes.c.last_at)

recording_chunks = Table(
    "recording_chunks",
    metadata,
    Column("recording", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, nullable=False),
    Column("missed", BigInteger, nullable=False),
    Column("micros", BigInteger, nullable=False),
    Column("last", Boolean, nullable=False),
    Column("digest", String, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
"""What recordings keep, sealed. The number is the fence: of two servers that record one session, one adds it."""
