"""Tenant sequences of entries."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables; entries of before stay without a number, as they stand in the log."""
    _numbers()


def _numbers() -> None:
    number: sa.Column[int] = sa.Column("tenant_sequence", sa.BigInteger(), nullable=True)
    op.add_column("statements", number)
    op.create_table(
        "log_tenants",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant"),
    )
