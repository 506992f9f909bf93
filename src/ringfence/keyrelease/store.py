"""Challenges, leases, devices, counts of denials and documents in the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, delete, func, insert, select, update

from ringfence.kernel import digest as json
from ringfence.kernel.clock import from_millis, to_millis
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.statement import Strength
from ringfence.keyrelease.model import Challenge, Lease, LeaseId, LeaseState, Refusal
from ringfence.keyrelease.ports import Denials
from ringfence.storage.database import METADATA, Database

CHALLENGES = Table(
    "release_challenges",
    METADATA,
    Column("nonce", LargeBinary(32), primary_key=True),
    Column("tenant", String(32), nullable=False),
    Column("node", String(16), nullable=False),
    Column("node_key", LargeBinary, nullable=False),
    Column("workload", LargeBinary(32), nullable=False),
    Column("dataset", String(32), nullable=False),
    Column("made_at", BigInteger, nullable=False),  # ms since the epoch, like every time here
    Column("used_at", BigInteger),
)
LEASES = Table(
    "release_leases",
    METADATA,
    Column("lease", String(32), primary_key=True),
    Column("tenant", String(32), nullable=False),
    Column("dataset", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seal", LargeBinary(32), nullable=False),
    Column("node", String(16), nullable=False),
    Column("node_name", String(32), nullable=False),
    Column("node_subject", LargeBinary(32), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("workload", LargeBinary(32), nullable=False),
    Column("place", String(2), nullable=False),
    Column("device", String(256), nullable=False),
    Column("strength", String(16), nullable=False),
    Column("statement", LargeBinary(32)),
    Column("asked_by", String(32), nullable=False),
    Column("granted_at", BigInteger, nullable=False),
    Column("renewed_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("because", String(32), nullable=False),
    Column("ended_at", BigInteger),
)
DEVICES = Table(
    "release_devices",
    METADATA,
    Column("device", String(256), primary_key=True),
    Column("node", String(16), nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)
DENIALS = Table(
    "release_denials",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("node", String(16), primary_key=True),
    Column("node_subject", LargeBinary(32), nullable=False),
    Column("dataset", String(32), nullable=False),
    Column("seal", LargeBinary(32), nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("recorded", BigInteger, nullable=False),
    Column("unrecorded", BigInteger, nullable=False),
)
REFUSALS = Table(
    "release_refusals",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("tenant", String(32), nullable=False),
    Column("refusal", String(4096), nullable=False),  # JSON
    Column("at", BigInteger, nullable=False),
)
DOCUMENTS = Table(
    "release_documents",
    METADATA,
    Column("tenant", String(32), primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
)
KEPT_REFUSALS = 100


@dataclass(frozen=True, slots=True)
class ReleaseTables:
    """`Store` in the database."""

    database: Database

    # Challenges

    def put_challenge(self, challenge: Challenge) -> None:
        """Add a challenge."""
        row = {
            "nonce": challenge.nonce,
            "tenant": challenge.tenant,
            "node": challenge.node,
            "node_key": challenge.node_key,
            "workload": challenge.workload.value,
            "dataset": challenge.dataset,
            "made_at": to_millis(challenge.made_at),
        }
        with self.database.attempting("this nonce was drawn before: the source of randomness is broken") as connection:
            connection.execute(insert(CHALLENGES), [row])

    def challenge(self, tenant: Tenant, nonce: bytes) -> Challenge | None:
        """Return a challenge by its nonce."""
        query = select(CHALLENGES).where(CHALLENGES.c.tenant == tenant, CHALLENGES.c.nonce == nonce)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Challenge(
            nonce=row.nonce,
            tenant=Tenant(row.tenant),
            node=row.node,
            node_key=row.node_key,
            workload=Digest(row.workload),
            dataset=row.dataset,
            made_at=from_millis(row.made_at),
            used_at=_at(row.used_at),
        )

    def use(self, challenge: Challenge, at: datetime) -> bool:
        """Mark a challenge as used; return False where it was used already."""
        change = (
            update(CHALLENGES)
            .where(CHALLENGES.c.nonce == challenge.nonce, CHALLENGES.c.used_at.is_(None))
            .values(used_at=to_millis(at))
        )
        return bool(self.database.connection().execute(change).rowcount)

    def open_challenges(self, tenant: Tenant, node: str, since: datetime) -> int:
        """Count the challenges of a node that wait for an answer."""
        query = select(func.count()).where(
            CHALLENGES.c.tenant == tenant,
            CHALLENGES.c.node == node,
            CHALLENGES.c.used_at.is_(None),
            CHALLENGES.c.made_at >= to_millis(since),
        )
        with self.database.reading() as connection:
            return int(connection.execute(query).scalar() or 0)

    def forget_challenges(self, before: datetime) -> None:
        """Remove challenges that were made before a time: an unknown nonce is refused as a used one is."""
        self.database.connection().execute(delete(CHALLENGES).where(CHALLENGES.c.made_at < to_millis(before)))

    # Leases

    def put_lease(self, lease: Lease) -> None:
        """Write a lease."""
        connection = self.database.connection()
        row = _row(lease)
        if not connection.execute(update(LEASES).where(LEASES.c.lease == lease.id).values(row)).rowcount:
            connection.execute(insert(LEASES), [row])

    def lease(self, tenant: Tenant, lease: LeaseId) -> Lease | None:
        """Return a lease of a tenant."""
        query = select(LEASES).where(LEASES.c.tenant == tenant, LEASES.c.lease == lease)
        with self.database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _lease(row)

    def leases(self, tenant: Tenant | None = None, *, ended: int = 0) -> list[Lease]:
        """Return the leases that have not ended, and the newest `ended` ones that have."""
        over = LEASES.c.state == LeaseState.ENDED.value
        mine = [] if tenant is None else [LEASES.c.tenant == tenant]
        live = select(LEASES).where(~over, *mine).order_by(LEASES.c.granted_at, LEASES.c.lease)
        past = select(LEASES).where(over, *mine).order_by(LEASES.c.ended_at.desc(), LEASES.c.lease).limit(ended)
        with self.database.reading() as connection:
            return [_lease(row) for query in (live, past) for row in connection.execute(query)]

    # Devices

    def take_turn(self) -> None:
        """Wait until no other transaction decides on a device; until the end of this one."""
        self.database.take_turn("", "release devices")

    def device_of(self, device: str) -> str | None:
        """Return the node that showed a device last."""
        query = select(DEVICES.c.node).where(DEVICES.c.device == device)
        with self.database.reading() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else str(found)

    def put_device(self, device: str, node: str, at: datetime) -> None:
        """Remember which node shows a device."""
        connection, values = self.database.connection(), {"node": node, "seen_at": to_millis(at)}
        if not connection.execute(update(DEVICES).where(DEVICES.c.device == device).values(values)).rowcount:
            connection.execute(insert(DEVICES), [{"device": device, **values}])

    # Denials

    def denials(self, tenant: Tenant, node: str) -> Denials | None:
        """Return the count of a node."""
        return next(iter(self._denials(DENIALS.c.tenant == tenant, DENIALS.c.node == node)), None)

    def put_denials(self, denials: Denials) -> None:
        """Write the count of a node."""
        key = {"tenant": denials.tenant, "node": denials.node}
        values = {
            "node_subject": denials.node_subject.value,
            "dataset": denials.dataset,
            "seal": denials.seal.value,
            "began_at": to_millis(denials.began_at),
            "recorded": denials.recorded,
            "unrecorded": denials.unrecorded,
        }
        change = update(DENIALS).where(DENIALS.c.tenant == denials.tenant, DENIALS.c.node == denials.node)
        connection = self.database.connection()
        if not connection.execute(change.values(values)).rowcount:
            connection.execute(insert(DENIALS), [{**key, **values}])

    def uncounted(self, before: datetime) -> list[Denials]:
        """Return the counts of old windows that hold denials which no statement tells of."""
        return self._denials(DENIALS.c.unrecorded > 0, DENIALS.c.began_at < to_millis(before))

    def _denials(self, *conditions: Any) -> list[Denials]:
        with self.database.reading() as connection:
            rows = connection.execute(select(DENIALS).where(*conditions).order_by(DENIALS.c.tenant, DENIALS.c.node))
            return [
                Denials(
                    tenant=Tenant(row.tenant),
                    node=row.node,
                    node_subject=Digest(row.node_subject),
                    dataset=row.dataset,
                    seal=Digest(row.seal),
                    began_at=from_millis(row.began_at),
                    recorded=row.recorded,
                    unrecorded=row.unrecorded,
                )
                for row in rows
            ]

    def put_refusal(self, tenant: Tenant, refusal: Refusal) -> None:
        """Keep a recorded denial for the pages; only the newest of a tenant are kept."""
        connection = self.database.connection()
        said = {"node": refusal.node, "dataset": refusal.dataset, "because": list(refusal.because)}
        text = json.dumps(said | {"reasons": list(refusal.reasons)}).decode()
        connection.execute(insert(REFUSALS), [{"tenant": tenant, "refusal": text, "at": to_millis(refusal.at)}])
        newest = select(REFUSALS.c.number).where(REFUSALS.c.tenant == tenant).order_by(REFUSALS.c.number.desc())
        kept = [row.number for row in connection.execute(newest.limit(KEPT_REFUSALS))]
        connection.execute(delete(REFUSALS).where(REFUSALS.c.tenant == tenant, REFUSALS.c.number < min(kept)))

    def refusals(self, tenant: Tenant) -> list[Refusal]:
        """Return the newest recorded denials, newest first."""
        query = select(REFUSALS).where(REFUSALS.c.tenant == tenant).order_by(REFUSALS.c.number.desc())
        with self.database.reading() as connection:
            return [_refusal(row) for row in connection.execute(query.limit(KEPT_REFUSALS))]

    # Documents

    def put_document(self, tenant: Tenant, kind: str, document: bytes, at: datetime) -> Digest:
        """Keep a document under its digest."""
        name, connection = Digest.of(document), self.database.connection()
        known = select(DOCUMENTS.c.digest).where(DOCUMENTS.c.tenant == tenant, DOCUMENTS.c.digest == name.value)
        if connection.execute(known).first() is None:
            row = {"tenant": tenant, "digest": name.value, "kind": kind, "document": document}
            connection.execute(insert(DOCUMENTS), [{**row, "kept_at": to_millis(at)}])
        return name

    def document(self, tenant: Tenant, kind: str, name: Digest) -> bytes | None:
        """Return a document of a kind by its digest."""
        query = select(DOCUMENTS.c.document).where(
            DOCUMENTS.c.tenant == tenant, DOCUMENTS.c.digest == name.value, DOCUMENTS.c.kind == kind
        )
        with self.database.reading() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else bytes(found)

    def documents(self, tenant: Tenant, kind: str) -> list[bytes]:
        """Return the documents of a kind, newest first."""
        query = select(DOCUMENTS.c.document).where(DOCUMENTS.c.tenant == tenant, DOCUMENTS.c.kind == kind)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(DOCUMENTS.c.kept_at.desc(), DOCUMENTS.c.digest))
            return [bytes(row.document) for row in rows]

    def relabel(self, tenant: Tenant, name: Digest, kind: str) -> None:
        """Let a document be of another kind from now on."""
        change = update(DOCUMENTS).where(DOCUMENTS.c.tenant == tenant, DOCUMENTS.c.digest == name.value)
        self.database.connection().execute(change.values(kind=kind))


def _at(millis: int | None) -> datetime | None:
    return None if millis is None else from_millis(millis)


def _row(lease: Lease) -> dict[str, Any]:
    return {
        "lease": lease.id,
        "tenant": lease.tenant,
        "dataset": lease.dataset,
        "name": lease.name,
        "epoch": lease.epoch,
        "seal": lease.seal.value,
        "node": lease.node,
        "node_name": lease.node_name,
        "node_subject": lease.node_subject.value,
        "purpose": lease.purpose,
        "workload": lease.workload.value,
        "place": lease.place,
        "device": lease.device,
        "strength": lease.strength.text,
        "statement": lease.statement.value if lease.statement else None,
        "asked_by": lease.by,
        "granted_at": to_millis(lease.granted_at),
        "renewed_at": to_millis(lease.renewed_at),
        "expires_at": to_millis(lease.expires_at),
        "state": lease.state.value,
        "because": lease.because,
        "ended_at": to_millis(lease.ended_at) if lease.ended_at else None,
    }


def _lease(row: Any) -> Lease:
    return Lease(
        id=LeaseId(row.lease),
        tenant=Tenant(row.tenant),
        dataset=row.dataset,
        name=row.name,
        epoch=row.epoch,
        seal=Digest(row.seal),
        node=row.node,
        node_name=row.node_name,
        node_subject=Digest(row.node_subject),
        purpose=row.purpose,
        workload=Digest(row.workload),
        place=row.place,
        device=row.device,
        strength=Strength.parse(row.strength),
        statement=None if row.statement is None else Digest(row.statement),
        by=PersonId(row.asked_by),
        granted_at=from_millis(row.granted_at),
        renewed_at=from_millis(row.renewed_at),
        expires_at=from_millis(row.expires_at),
        state=LeaseState(row.state),
        because=row.because,
        ended_at=_at(row.ended_at),
    )


def _refusal(row: Any) -> Refusal:
    said = json.loads(row.refusal)
    return Refusal(said["node"], said["dataset"], tuple(said["because"]), tuple(said["reasons"]), from_millis(row.at))
