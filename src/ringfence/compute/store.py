"""Rows of nodes, quarantines, releases and blocks; and what was stated of a quarantine already."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    false,
    insert,
    select,
    text,
)
from sqlalchemy.schema import Index

from ringfence.compute import rows
from ringfence.compute.model import (
    ENDED,
    Block,
    Containment,
    Node,
    NodeId,
    Quarantine,
    Release,
)
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Statement
from ringfence.storage.database import METADATA, Database
from ringfence.storage.rows import STATEMENTS, intact

NODES = Table(
    "compute_nodes",
    METADATA,
    Column("node", String(16), primary_key=True),
    Column("tenant", String(32), nullable=False),
    Column("name", String(32), nullable=False),
    Column("node_class", String(16), nullable=False),
    Column("memory_mib", Integer, nullable=False),
    Column("cpus_percent", Integer, nullable=False),
    Column("processes", Integer, nullable=False),
    Column("expose", String(128), nullable=False),  # JSON
    Column("password", String(256)),  # a salted hash, for lab nodes
    Column("training", Boolean, nullable=False),
    Column("address", String(256), nullable=False),
    Column("runtime", Boolean, nullable=False, server_default=false()),
    Column("subject", LargeBinary(32), nullable=False),
    Column("isolation", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("wanted", String(16), nullable=False),
    Column("requested_at", BigInteger, nullable=False),  # ms since the epoch, like every time here
    Column("changed_at", BigInteger, nullable=False),
    Column("ready_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("because", String(1024), nullable=False),
    Column("host_key", String(1024), nullable=False),
    Column("containment", String(16), nullable=False),
    Column("quarantine", Integer, nullable=False),
)
Index(
    "compute_nodes_living",
    NODES.c.tenant,
    NODES.c.name,
    unique=True,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)
QUARANTINES = Table(
    "compute_quarantines",
    METADATA,
    Column("node", String(16), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("tenant", String(32), nullable=False),
    Column("reason", String(1024), nullable=False),
    Column("finding", String(128), nullable=False),
    Column("by", String(32), nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("triggered_at", BigInteger),
    Column("kind", String(16), nullable=False),
    Column("before", String(64), nullable=False),
    Column("micros", BigInteger, nullable=False),
    Column("cut_at", BigInteger),
    Column("confirmed_at", BigInteger),
    Column("released_at", BigInteger),
    Column("evidence", String(80), nullable=False),
    Column("probes", String(8192), nullable=False),  # JSON
    Column("because", String(1024), nullable=False),
)
RELEASES = Table(
    "compute_releases",
    METADATA,
    Column("request", LargeBinary(32), primary_key=True),
    Column("node", String(16), nullable=False),
    Column("tenant", String(32), nullable=False),
    Column("quarantine", Integer, nullable=False),
    Column("asked_by", String(32), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("reason", String(1024), nullable=False),
    Column("state", String(16), nullable=False),
    Column("approval", String(80), nullable=False),
    Column("approved_by", String(32), nullable=False),
    Column("because", String(1024), nullable=False),
)
Index("compute_releases_of", RELEASES.c.node, RELEASES.c.quarantine)
BLOCKS = Table(
    "compute_blocks",
    METADATA,
    Column("subject", LargeBinary(32), primary_key=True),
    Column("tenant", String(32), nullable=False),
    Column("address", String(64), nullable=False),
    Column("finding", String(128), nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("blocked_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
)


@dataclass(frozen=True, slots=True)
class NodeTables:
    """`Nodes` in the database."""

    database: Database

    def put(self, node: Node) -> None:
        """Write a node; raise `Conflict` where a living node of the tenant has its name."""
        with self.database.attempting(f"a node called {node.spec.name} was started meanwhile; look at it first"):
            self._write(NODES, {"node": node.id}, rows.node_row(node))

    def get(self, node: NodeId) -> Node | None:
        """Return a node by its id."""
        return _only(self._nodes(NODES.c.node == node))

    def all(self, tenant: Tenant | None = None, *, ended: bool = False) -> list[Node]:
        """Return the nodes that live or are cut off; with `ended`, the others as well."""
        conditions = [] if tenant is None else [NODES.c.tenant == tenant]
        if not ended:
            over = NODES.c.state.in_([state.value for state in ENDED])
            conditions.append(~over | (NODES.c.containment != Containment.NONE.value))
        return self._nodes(*conditions)

    def put_quarantine(self, quarantine: Quarantine) -> None:
        """Write a quarantine."""
        self._write(
            QUARANTINES, {"node": quarantine.node, "number": quarantine.number}, rows.quarantine_row(quarantine)
        )

    def quarantine(self, node: NodeId, number: int) -> Quarantine | None:
        """Return a quarantine of a node."""
        query = select(QUARANTINES).where(QUARANTINES.c.node == node, QUARANTINES.c.number == number)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else rows.quarantine(row)

    def put_release(self, release: Release) -> None:
        """Write a request to release."""
        self._write(RELEASES, {"request": release.request.value}, rows.release_row(release))

    def release(self, request: Digest) -> Release | None:
        """Return a request by the digest of its envelope."""
        with self.database.reading() as connection:
            row = connection.execute(select(RELEASES).where(RELEASES.c.request == request.value)).first()
        return None if row is None else rows.release(row)

    def releases(self, node: NodeId, quarantine: int) -> list[Release]:
        """Return what was asked for one quarantine, in order."""
        query = select(RELEASES).where(RELEASES.c.node == node, RELEASES.c.quarantine == quarantine)
        with self.database.reading() as connection:
            return [rows.release(row) for row in connection.execute(query.order_by(RELEASES.c.asked_at))]

    def put_block(self, block: Block) -> None:
        """Write a block."""
        self._write(BLOCKS, {"subject": block.subject.value}, rows.block_row(block))

    def blocks(self) -> list[Block]:
        """Return the blocks that have not ended."""
        query = select(BLOCKS).where(BLOCKS.c.ended_at.is_(None)).order_by(BLOCKS.c.blocked_at)
        with self.database.reading() as connection:
            return [rows.block(row) for row in connection.execute(query)]

    def _nodes(self, *conditions: Any) -> list[Node]:
        query = select(NODES).where(*conditions).order_by(NODES.c.requested_at, NODES.c.node)
        with self.database.reading() as connection:
            return [rows.node(row) for row in connection.execute(query)]

    def _write(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
        connection = self.database.connection()
        connection.execute(delete(table).where(*(table.c[name] == value for name, value in key.items())))
        connection.execute(insert(table), [key | values])


@dataclass(frozen=True, slots=True)
class StatedTable:
    """`Stated` over the outbox's rows and what waits in the emergency journal."""

    database: Database
    waiting: Callable[[Tenant], Sequence[Statement]]

    def __call__(self, tenant: Tenant, predicate: PredicateName, node: NodeId, quarantine: int) -> bool:
        """Return whether it was stated of this quarantine."""
        table = STATEMENTS
        query = select(table.c.envelope, table.c.digest).where(table.c.tenant == tenant, table.c.predicate == predicate)
        with self.database.reading() as connection:
            known = [envelope.statement for row in connection.execute(query) if (envelope := intact(row))]
        return any(
            statement.predicate == predicate
            and statement.claims.get("node") == node
            and statement.claims.get("number") == quarantine
            for statement in [*known, *self.waiting(tenant)]
        )


def _only(nodes: list[Node]) -> Node | None:
    return nodes[0] if nodes else None
