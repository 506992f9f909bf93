"""Nodes, findings, incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of compute, soc and incidents."""
    _compute_blocks()
    _compute_nodes()
    _compute_quarantines()
    _compute_releases()
    _incidents_events()
    _incidents_incidents()
    _soc_alerts()
    _soc_detectors()
    _soc_findings()
    _soc_rulings()
    _soc_settings()
    _soc_tails()


def _compute_blocks() -> None:
    op.create_table(
        "compute_blocks",
        sa.Column("subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("finding", sa.String(length=128), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("blocked_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )


def _compute_nodes() -> None:
    op.create_table(
        "compute_nodes",
        sa.Column("node", sa.String(length=16), nullable=False),
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("node_class", sa.String(length=16), nullable=False),
        sa.Column("memory_mib", sa.Integer(), nullable=False),
        sa.Column("cpus_percent", sa.Integer(), nullable=False),
        sa.Column("processes", sa.Integer(), nullable=False),
        sa.Column("expose", sa.String(length=128), nullable=False),
        sa.Column("password", sa.String(length=256), nullable=True),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.Column("address", sa.String(length=256), nullable=False),
        sa.Column("subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("isolation", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("wanted", sa.String(length=16), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("ready_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("because", sa.String(length=1024), nullable=False),
        sa.Column("host_key", sa.String(length=1024), nullable=False),
        sa.Column("containment", sa.String(length=16), nullable=False),
        sa.Column("quarantine", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("node"),
    )
    op.create_index(
        "compute_nodes_living",
        "compute_nodes",
        ["tenant", "name"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _compute_quarantines() -> None:
    op.create_table(
        "compute_quarantines",
        sa.Column("node", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=1024), nullable=False),
        sa.Column("finding", sa.String(length=128), nullable=False),
        sa.Column("by", sa.String(length=32), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("triggered_at", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("before", sa.String(length=64), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("cut_at", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.Column("evidence", sa.String(length=80), nullable=False),
        sa.Column("probes", sa.String(length=8192), nullable=False),
        sa.Column("because", sa.String(length=1024), nullable=False),
        sa.PrimaryKeyConstraint("node", "number"),
    )


def _compute_releases() -> None:
    op.create_table(
        "compute_releases",
        sa.Column("request", sa.LargeBinary(length=32), nullable=False),
        sa.Column("node", sa.String(length=16), nullable=False),
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("quarantine", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(length=32), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=1024), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("approval", sa.String(length=80), nullable=False),
        sa.Column("approved_by", sa.String(length=32), nullable=False),
        sa.Column("because", sa.String(length=1024), nullable=False),
        sa.PrimaryKeyConstraint("request"),
    )
    op.create_index("compute_releases_of", "compute_releases", ["node", "quarantine"], unique=False)


def _incidents_events() -> None:
    op.create_table(
        "incidents_events",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=16), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("envelope", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "incident", "position"),
    )


def _incidents_incidents() -> None:
    op.create_table(
        "incidents_incidents",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "incident"),
    )


def _soc_alerts() -> None:
    op.create_table(
        "soc_alerts",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("alert", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("about", sa.String(length=32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "alert", "channel"),
    )
    op.create_index("soc_alerts_due", "soc_alerts", ["state", "next_at"], unique=False)


def _soc_detectors() -> None:
    op.create_table(
        "soc_detectors",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant"),
    )


def _soc_findings() -> None:
    op.create_table(
        "soc_findings",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("noted", sa.Boolean(), nullable=False),
        sa.Column("statement", sa.LargeBinary(length=32), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "reference"),
    )
    op.create_index("soc_findings_by_key", "soc_findings", ["tenant", "key"], unique=True)
    op.create_index("soc_findings_by_time", "soc_findings", ["tenant", "last_seen"], unique=False)


def _soc_rulings() -> None:
    op.create_table(
        "soc_rulings",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("finding", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=256), nullable=False),
        sa.Column("ruling", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=48), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("isolations", sa.Integer(), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=False),
        sa.Column("line_at", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("acted_at", sa.BigInteger(), nullable=True),
        sa.Column("statement", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "finding", "action", "turn"),
    )
    op.create_index("soc_rulings_by_time", "soc_rulings", ["tenant", "decided_at"], unique=False)
    op.create_index("soc_rulings_unfinished", "soc_rulings", ["state", "attempts"], unique=False)


def _soc_settings() -> None:
    op.create_table(
        "soc_settings",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "version"),
    )


def _soc_tails() -> None:
    op.create_table(
        "soc_tails",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "node", "source"),
    )
