"""Wrapped data keys of tenants, and the sealed values of secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "data_keys",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("root", sa.String, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
    op.create_index("data_keys_of", "data_keys", ["root"])
    op.create_table(
        "secret_values",
        sa.Column("uid", sa.String, primary_key=True),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
