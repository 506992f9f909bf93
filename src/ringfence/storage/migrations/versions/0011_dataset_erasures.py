"""Which epochs of sealed datasets are being erased, or were."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the table, empty."""
    op.create_table(
        "artifacts_erasures",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("dataset", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("requested", sa.LargeBinary(length=32), nullable=False),
        sa.Column("erased", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "dataset", "epoch"),
    )
