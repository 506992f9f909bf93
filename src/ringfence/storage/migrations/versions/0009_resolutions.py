"""Which resolutions of the management body there are, and which votes stand."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the tables, empty."""
    op.create_table(
        "governance_resolutions",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("resolution", sa.String(length=32), nullable=False),
        sa.Column("opening", sa.LargeBinary(length=32), nullable=False),
        sa.Column("opened_by", sa.String(length=32), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("approval", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "resolution"),
    )
    op.create_table(
        "governance_votes",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("resolution", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("choice", sa.String(length=16), nullable=False),
        sa.Column("envelope", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "resolution", "person"),
    )
