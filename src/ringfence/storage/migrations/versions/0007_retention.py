"""Retention, holds and erasure."""

import base64
import json
import time

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Give side records an age; create the tables of holds and runs."""
    _side_records()
    _ages()
    _retention()


def _side_records() -> None:
    # Whatever belongs to no statement begins its period now.
    now = str(time.time_ns() // 1_000_000)
    columns: list[sa.Column[object]] = [
        sa.Column("statement", sa.LargeBinary(length=32), nullable=False, server_default=""),
        sa.Column("predicate", sa.String(length=128), nullable=False, server_default=""),
        sa.Column("since", sa.BigInteger(), nullable=False, server_default=now),
    ]
    for column in columns:
        op.add_column("side_records", column)
    op.create_index("side_records_by_age", "side_records", ["tenant", "since"])
    op.create_index("side_records_of", "side_records", ["statement"])


def _ages() -> None:
    """Write beside each side record which statement commits to it, of which type, since when."""
    connection = op.get_bind()
    statements = sa.table("statements", *map(sa.column, ("envelope", "digest", "predicate", "sequenced_at")))
    side_records = sa.table("side_records", *map(sa.column, ("commitment", "statement", "predicate", "since")))
    if connection.execute(sa.select(sa.func.count()).select_from(side_records)).scalar() == 0:
        return
    change = sa.update(side_records).where(side_records.c.commitment == sa.bindparam("of"))
    change = change.values(statement=sa.bindparam("by"), predicate=sa.bindparam("kind"), since=sa.bindparam("at"))
    rows = connection.execute(sa.select(statements)).all()
    values = [
        {"of": commitment, "by": row.digest, "kind": row.predicate, "at": row.sequenced_at}
        for row in rows
        if (commitment := _commitment(row.envelope)) is not None
    ]
    if values:
        connection.execute(change, values)


def _commitment(envelope: bytes) -> bytes | None:
    try:
        payload = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
        return bytes.fromhex(payload["predicate"]["details"].removeprefix("sha256:"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # it has no details, or somebody changed it behind our back


def _retention() -> None:
    op.create_table(
        "retention_holds",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("hold", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.String(length=32), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("released_by", sa.String(length=32), nullable=True),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "hold"),
    )
    op.create_table(
        "retention_runs",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("requested", sa.LargeBinary(length=32), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("run"),
    )
    op.create_table(
        "retention_items",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=512), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("fate", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("run", "source", "key"),
    )
    op.create_table(
        "retention_erased",
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("commitment"),
    )
