"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table of version 0.1."""
    _artifacts()
    _identity()
    _ledger()
    _statements()


def _artifacts() -> None:
    op.create_table(
        "artifacts_datasets",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("dataset", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "dataset"),
        sa.UniqueConstraint("tenant", "name"),
    )
    op.create_table(
        "artifacts_seals",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("dataset", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("ciphertext_root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key_custody", sa.String(length=32), nullable=False),
        sa.Column("envelope", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "dataset", "epoch"),
    )


def _identity() -> None:
    op.create_table(
        "identity_passes",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("pass_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "pass_hash"),
    )
    op.create_table(
        "identity_people",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.Column("left_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "person"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_table(
        "identity_tenants",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant"),
    )


def _ledger() -> None:
    op.create_table(
        "ledger_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )


def _statements() -> None:
    op.create_table(
        "side_records",
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("opening", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("commitment"),
    )
    op.create_table(
        "statements",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("predicate", sa.String(length=128), nullable=False),
        sa.Column("idempotency_key", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("sequenced_at", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
        sa.UniqueConstraint("entry"),
        sa.UniqueConstraint("tenant", "issuer", "idempotency_key"),
        sa.UniqueConstraint("tenant", "issuer", "sequence"),
    )
    op.create_index("statements_by_entry", "statements", ["tenant", "entry"], unique=False)
    op.create_index("statements_by_predicate", "statements", ["tenant", "predicate", "entry"], unique=False)
    op.create_index(
        "statements_pending",
        "statements",
        ["id"],
        unique=False,
        sqlite_where=sa.text("entry IS NULL"),
        postgresql_where=sa.text("entry IS NULL"),
    )
