"""Who anchors this log's heads, and what they said, in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy import update as update_rows

from ringfence.kernel.clock import from_millis, to_millis
from ringfence.ledger.anchoring.asking import SKEW
from ringfence.ledger.anchoring.model import AskedAuthority, AskedWitness, Progress
from ringfence.ledger.model import Anchors
from ringfence.ledger.note import parse_signature
from ringfence.ledger.store import CHECKPOINTS
from ringfence.storage.database import METADATA, Database

HOUR = 3_600_000  # milliseconds
STAMPS = 64  # stamped heads that are looked at: more than are made while clocks differ


def _course() -> tuple[Column[Any], ...]:
    """Return the columns of a `Progress`."""
    return (
        Column("size", BigInteger, nullable=False),
        Column("at", BigInteger),
        Column("tried_at", BigInteger),
        Column("trouble", String(512), nullable=False),
    )


WITNESSES = Table(
    "ledger_witnesses",
    METADATA,
    Column("name", String(255), primary_key=True),
    Column("vkeys", Text, nullable=False),
    Column("url", String(512), nullable=False),
    Column("party", String(64), nullable=False),
    Column("active", Boolean, nullable=False),
    *_course(),
)
AUTHORITIES = Table(
    "ledger_authorities",
    METADATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("certificate", LargeBinary, nullable=False),
    Column("url", String(512), nullable=False),
    Column("party", String(64), nullable=False),
    Column("policy", String(128), nullable=False),
    Column("active", Boolean, nullable=False),
    *_course(),
)
QUORUM = Table(
    "ledger_quorum",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("quorum", Integer, nullable=False),
)
COSIGNATURES = Table(
    "ledger_cosignatures",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("signer", String(300), primary_key=True),  # name and key id: a later line by the same key replaces it
    Column("line", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
TIMESTAMPS = Table(
    "ledger_timestamps",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("authority", LargeBinary(32), primary_key=True),
    Column("token", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class AnchorTables:
    """`AnchorRows` over the database of the home."""

    database: Database

    def witnesses(self) -> list[AskedWitness]:
        """Return every witness that was ever asked."""
        rows = self._all(select(WITNESSES).order_by(WITNESSES.c.name))
        return [
            AskedWitness(row.name, tuple(row.vkeys.split("\n")), row.url, row.party, row.active, _progress(row))
            for row in rows
        ]

    def put_witness(self, witness: AskedWitness) -> None:
        """Add or replace a witness."""
        values = {"name": witness.name, "vkeys": "\n".join(witness.vkeys), "url": witness.url}
        self._replace(WITNESSES, WITNESSES.c.name == witness.name, values | _shared(witness))

    def authorities(self) -> list[AskedAuthority]:
        """Return every authority that was ever asked."""
        rows = self._all(select(AUTHORITIES).order_by(AUTHORITIES.c.digest))
        return [
            AskedAuthority(
                bytes(row.digest), bytes(row.certificate), row.url, row.party, row.policy, row.active, _progress(row)
            )
            for row in rows
        ]

    def put_authority(self, authority: AskedAuthority) -> None:
        """Add or replace an authority."""
        values = {"digest": authority.digest, "certificate": authority.certificate, "url": authority.url}
        values |= {"policy": authority.policy} | _shared(authority)
        self._replace(AUTHORITIES, AUTHORITIES.c.digest == authority.digest, values)

    def tried(self, asked: AskedWitness | AskedAuthority, progress: Progress) -> None:
        """Keep how a try went."""
        if isinstance(asked, AskedWitness):
            query = update_rows(WITNESSES).where(WITNESSES.c.name == asked.name)
        else:
            query = update_rows(AUTHORITIES).where(AUTHORITIES.c.digest == asked.digest)
        self.database.connection().execute(query.values(**_values(progress)))

    def quorum(self) -> int:
        """Return how many other parties have to cosign."""
        rows = self._all(select(QUORUM.c.quorum))
        return int(rows[0].quorum) if rows else 0

    def put_quorum(self, quorum: int) -> None:
        """Keep how many other parties have to cosign."""
        self._replace(QUORUM, QUORUM.c.id == 0, {"id": 0, "quorum": quorum})

    def keep_cosignatures(
        self, size: int, lines: Sequence[str], at: datetime, *, after: datetime | None = None
    ) -> None:
        """Keep verified cosignatures of the head of this size, and of each key's the newest of each hour.

        And those of a head that is the newest of another witness: it may be the newest that a quorum has cosigned. And
        what was said until `after`: the standing of statements rests on it.
        """
        now, fixed = to_millis(at), to_millis(after) + 1 if after else 0
        for line in lines:
            signature = parse_signature(line)
            signer = f"{signature.name}+{signature.key_id.hex()}"
            mine, hour = COSIGNATURES.c.signer == signer, now - now % HOUR
            superseded = (COSIGNATURES.c.size <= size) & (COSIGNATURES.c.at >= max(hour, fixed))
            needless = superseded & COSIGNATURES.c.size.not_in(self._newest_of_others(signature.name))
            same = mine & (needless | (COSIGNATURES.c.size == size))
            self._replace(COSIGNATURES, same, {"size": size, "signer": signer, "line": line, "at": now})

    def _newest_of_others(self, name: str) -> list[int]:
        query = select(COSIGNATURES.c.signer, func.max(COSIGNATURES.c.size).label("size"))
        rows = self._all(query.group_by(COSIGNATURES.c.signer))
        return [row.size for row in rows if row.signer.rpartition("+")[0] != name]

    def keep_timestamp(self, size: int, authority: bytes, token: bytes) -> None:
        """Keep a verified token over the head of this size; the first one stays, since it is the earlier."""
        same = (TIMESTAMPS.c.size == size) & (TIMESTAMPS.c.authority == authority)
        connection = self.database.connection()
        if connection.execute(select(TIMESTAMPS.c.size).where(same)).first() is None:
            connection.execute(insert(TIMESTAMPS), [{"size": size, "authority": authority, "token": token}])

    def anchors(self, size: int) -> Anchors:
        """Return what others said about the head of this size."""
        lines = self._all(
            select(COSIGNATURES.c.line).where(COSIGNATURES.c.size == size).order_by(COSIGNATURES.c.signer)
        )
        tokens = self._all(select(TIMESTAMPS.c.token).where(TIMESTAMPS.c.size == size).order_by(TIMESTAMPS.c.authority))
        return Anchors(tuple(row.line for row in lines), tuple(bytes(row.token) for row in tokens))

    def before(self, when: datetime) -> list[int]:
        """Return the sizes of the largest heads that somebody may have anchored before a time.

        Of each witness the largest that it says it signed by then. When a stamp was made stands in the token alone: so
        the newest stamped heads that the log had signed by then, as far as clocks may differ.
        """
        signed = select(func.max(COSIGNATURES.c.size).label("size")).where(COSIGNATURES.c.at < to_millis(when))
        made = (TIMESTAMPS.c.size == CHECKPOINTS.c.size) & (CHECKPOINTS.c.signed_at < to_millis(when + SKEW))
        stamped = select(TIMESTAMPS.c.size).join(CHECKPOINTS, made).order_by(TIMESTAMPS.c.size.desc()).limit(STAMPS)
        queries = (signed.group_by(COSIGNATURES.c.signer), stamped)
        return sorted({row.size for query in queries for row in self._all(query)})

    def newest(self) -> list[int]:
        """Return the size of the newest head of each who said anything, smallest first."""
        cosigned = select(func.max(COSIGNATURES.c.size).label("size")).group_by(COSIGNATURES.c.signer)
        stamped = select(func.max(TIMESTAMPS.c.size).label("size")).group_by(TIMESTAMPS.c.authority)
        return sorted({row.size for query in (cosigned, stamped) for row in self._all(query)})

    def sizes(self, *, least: int = 0, limit: int = 50, newest_first: bool = True) -> list[int]:
        """Return the sizes, at least `least`, of heads that somebody anchored."""
        found: set[int] = set()
        for table in (COSIGNATURES, TIMESTAMPS):
            order = table.c.size.desc() if newest_first else table.c.size
            query = select(table.c.size).where(table.c.size >= least).distinct().order_by(order)
            found |= {row.size for row in self._all(query.limit(limit))}
        return sorted(found, reverse=newest_first)[:limit]

    def _all(self, query: Any) -> Sequence[Any]:
        with self.database.reading() as connection:
            return connection.execute(query).all()

    def _replace(self, table: Table, same: Any, values: dict[str, Any]) -> None:
        connection = self.database.connection()
        connection.execute(delete(table).where(same))
        connection.execute(insert(table), [values])


def _shared(asked: AskedWitness | AskedAuthority) -> dict[str, Any]:
    return {"party": asked.party, "active": asked.active} | _values(asked.progress)


def _values(progress: Progress) -> dict[str, Any]:
    return {
        "size": progress.size,
        "at": to_millis(progress.at) if progress.at else None,
        "tried_at": to_millis(progress.tried_at) if progress.tried_at else None,
        "trouble": progress.trouble,
    }


def _progress(row: Any) -> Progress:
    at = from_millis(row.at) if row.at is not None else None
    return Progress(row.size, at, from_millis(row.tried_at) if row.tried_at is not None else None, row.trouble)
