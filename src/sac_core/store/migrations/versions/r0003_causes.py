"""Timelines."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "causes",
        sa.Column("uid", sa.String, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("because", sa.Integer),
        sa.Column("details", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("causes_named", "causes", ["agent", "tenant", "last_at"])
    op.create_index("causes_aged", "causes", ["last_at"])
