"""The sealed chunks of recordings."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "recording_chunks",
        sa.Column("recording", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("missed", sa.BigInteger, nullable=False),
        sa.Column("micros", sa.BigInteger, nullable=False),
        sa.Column("last", sa.Boolean, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
