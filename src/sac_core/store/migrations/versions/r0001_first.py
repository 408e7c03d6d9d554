"""Declared things, their labels and changes, the counter of versions, state, the installation."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    _resources()
    _labels()
    _changes()
    _state()
    op.create_table("installation", sa.Column("id", sa.String, primary_key=True))


def _resources() -> None:
    op.create_table(
        "resources",
        sa.Column("kind", NAME, nullable=False),
        sa.Column("tenant", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("uid", NAME, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("meta", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("resource_version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
        sa.Column("launch", sa.Text),
        sa.Column("deadline", sa.BigInteger),
        sa.Column("owner_server", sa.String),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("kind", "tenant", "name", name="one_name"),
    )
    due = sa.text("deadline IS NOT NULL")
    op.create_index("due", "resources", ["kind", "deadline"], sqlite_where=due, postgresql_where=due)


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("kind", NAME, primary_key=True),
        sa.Column("key", NAME, primary_key=True),
        sa.Column("value", NAME, primary_key=True),
        sa.Column("tenant", NAME, primary_key=True),
        sa.Column("name", NAME, primary_key=True),
        sa.Column("uid", NAME, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("labels_of", "labels", ["uid", "key", "value"])


def _changes() -> None:
    version = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "changes",
        sa.Column("rv", version, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("uid", sa.String, nullable=False),
        sa.Column("verb", sa.String, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
    )
    counter = op.create_table(
        "counter",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("rv", sa.BigInteger, nullable=False),
        sa.Column("pruned", sa.BigInteger, nullable=False),
        sa.Column("state", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(counter, [{"id": 1, "rv": 0, "pruned": 0, "state": 0}])


def _state() -> None:
    op.create_table(
        "state",
        sa.Column("plugin", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
    )
    expires = sa.text("expires_at IS NOT NULL")
    op.create_index("expiring", "state", ["expires_at"], sqlite_where=expires, postgresql_where=expires)
