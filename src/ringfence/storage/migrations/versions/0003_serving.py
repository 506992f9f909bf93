"""Serving: nodes that see a runtime, keys of callers, deployments."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Extend the tables of compute; create those of the gateway."""
    _compute_nodes()
    _gateway_deployments()
    _gateway_keys()


def _compute_nodes() -> None:
    runtime: sa.Column[bool] = sa.Column("runtime", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("compute_nodes", runtime)


def _gateway_deployments() -> None:
    op.create_table(
        "gateway_deployments",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("protocol", sa.String(length=16), nullable=False),
        sa.Column("url", sa.String(length=512), nullable=False),
        sa.Column("socket", sa.String(length=256), nullable=False),
        sa.Column("credential", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=256), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("node", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("on_record_failure", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("because", sa.String(length=512), nullable=False),
        sa.Column("subject", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "name"),
    )


def _gateway_keys() -> None:
    op.create_table(
        "gateway_keys",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("deployments", sa.Text(), nullable=False),
        sa.Column("requests_per_minute", sa.Integer(), nullable=False),
        sa.Column("concurrent", sa.Integer(), nullable=False),
        sa.Column("body_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("blocked", sa.String(length=512), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key"),
    )
