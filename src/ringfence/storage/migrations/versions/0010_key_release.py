"""Challenges, leases and devices of key release, denials that were counted, and the documents that rules name."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the tables, empty."""
    _asking()
    _leasing()
    _denying()


def _asking() -> None:
    op.create_table(
        "release_challenges",
        sa.Column("nonce", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("node", sa.String(length=16), nullable=False),
        sa.Column("node_key", sa.LargeBinary(), nullable=False),
        sa.Column("workload", sa.LargeBinary(length=32), nullable=False),
        sa.Column("dataset", sa.String(length=32), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("nonce"),
    )


def _leasing() -> None:
    op.create_table(
        "release_leases",
        sa.Column("lease", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("dataset", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.Column("node", sa.String(length=16), nullable=False),
        sa.Column("node_name", sa.String(length=32), nullable=False),
        sa.Column("node_subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("workload", sa.LargeBinary(length=32), nullable=False),
        sa.Column("place", sa.String(length=2), nullable=False),
        sa.Column("device", sa.String(length=256), nullable=False),
        sa.Column("strength", sa.String(length=16), nullable=False),
        sa.Column("statement", sa.LargeBinary(length=32), nullable=True),
        sa.Column("asked_by", sa.String(length=32), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("because", sa.String(length=32), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("lease"),
    )
    op.create_table(
        "release_devices",
        sa.Column("device", sa.String(length=256), nullable=False),
        sa.Column("node", sa.String(length=16), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device"),
    )


def _denying() -> None:
    op.create_table(
        "release_denials",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("node", sa.String(length=16), nullable=False),
        sa.Column("node_subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("dataset", sa.String(length=32), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded", sa.BigInteger(), nullable=False),
        sa.Column("unrecorded", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "node"),
    )
    op.create_table(
        "release_refusals",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("refusal", sa.String(length=4096), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "release_documents",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "digest"),
    )
