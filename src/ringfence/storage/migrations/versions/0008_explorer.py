"""The index of the explorer; the loops of `up`, or whoever searches first, fill it from the envelopes."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables, empty."""
    _facts()
    _subjects()
    op.create_table(
        "ledger_explored",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _facts() -> None:
    op.create_table(
        "ledger_facts",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("tenant_sequence", sa.BigInteger(), nullable=True),
        sa.Column("predicate", sa.String(length=128), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("strength", sa.Integer(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "entry"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ledger_facts_of", "ledger_facts", ["tenant", "issuer", "entry", "sequence", "recorded_at"], unique=False
    )


def _subjects() -> None:
    op.create_table(
        "ledger_subjects",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "entry", "position"),
        sqlite_with_rowid=False,
    )
    op.create_index("ledger_subjects_by_name", "ledger_subjects", ["tenant", "name", "entry"], unique=False)
    op.create_index("ledger_subjects_by_digest", "ledger_subjects", ["tenant", "digest", "entry"], unique=False)
