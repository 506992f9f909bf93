"""The ledger: durable groups of 100 beside bare SQLite, and a proof in a log of a million entries."""

import random
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from measurement import Row, timed

from ringfence.app import open_services
from ringfence.enrolment import NewPerson
from ringfence.initialise import initialise
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Issuance, Statement, Strength, Subject
from ringfence.ledger import entry, tree
from ringfence.ledger.tiles import DirectoryTiles
from ringfence.ledger.tiletree import TileTree
from ringfence.loops import INTEGRATE_EVERY
from ringfence.services import Services
from ringfence.settings import Settings

GROUP = 100
GROUPS = 50
ROUNDS = 5
PEER = "bare SQLite, WAL, FULL"
MILLION = 1_000_000
BATCH = 100_000
PROOFS = 500
TENANT = Tenant("bench")
COLUMNS = "tenant, issuer, sequence, predicate, idempotency_key, digest, envelope, sequenced_at"


@contextmanager
def installation() -> Iterator[Services]:
    """Open a new installation on the disk that holds temporary files."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        people = [NewPerson.make("Bench", Role.OWNER)]
        initialise(home, log=LogOrigin("localhost/bench"), tenant=TENANT, people=people, demo=False)
        with open_services(Settings(home=home)) as services:
            yield services


def envelopes(services: Services) -> list[list[Envelope]]:
    """Sign what the groups hold beforehand: signing is the same on both sides."""
    first = services.outbox.next_sequence(TENANT, services.outbox.signer.key)
    made = [observation(services, first + number) for number in range(GROUP * GROUPS)]
    return [made[start : start + GROUP] for start in range(0, len(made), GROUP)]


def observation(services: Services, place: int) -> Envelope:
    """Return a statement of the control plane at a place in its sequence."""
    nonce = f"{place:032x}"
    issuance = Issuance(
        tenant=services.home.tenant,
        log=services.home.log,
        issuer=services.outbox.signer.key,
        strength=Strength.OBSERVED,
        sequence=place,
        nonce=nonce,
        idempotency_key=nonce,
        issued_at=services.clock.now(),
    )
    subject = Subject(f"head/{place}", Digest.of(str(place).encode()))
    claims = {"sources": 3, "statements": place, "gaps": 0, "unexplained": 0, "late": 0}
    return services.outbox.signer.sign(Statement(PredicateName("log.heartbeat"), (subject,), claims, issuance))


@contextmanager
def bare_sqlite(services: Services) -> Iterator[sqlite3.Connection]:
    """Open an empty database of the same table and indexes, with the same durability, and nothing above it."""
    source = sqlite3.connect(services.home.path / "ringfence.db")
    schema = [
        sql for (sql,) in source.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'statements' AND sql NOT NULL")
    ]
    source.close()
    bare = sqlite3.connect(services.home.path.parent / "bare.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    for statement in schema:
        bare.execute(statement)
    try:
        yield bare
    finally:
        bare.close()


def rows_of(group: list[Envelope]) -> list[tuple[object, ...]]:
    """Return what the table holds of each envelope."""
    made = [(envelope, envelope.statement.issuance) for envelope in group]
    return [
        (TENANT, i.issuer, i.sequence, e.statement.predicate, i.idempotency_key, e.digest.value, e.data, 1)
        for e, i in made
    ]


def insert_bare(bare: sqlite3.Connection, rows: list[tuple[object, ...]]) -> None:
    """Commit the rows of a group."""
    bare.execute("BEGIN IMMEDIATE")
    bare.executemany(f"INSERT INTO statements ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608
    bare.execute("COMMIT")


def sequence(services: Services, group: list[Envelope]) -> None:
    """Commit a group as collectors do."""
    with services.database.transaction():
        services.outbox.append_all(group)


def durable_groups() -> list[Row]:
    """Commit the same groups in turn: through the outbox, through SQLite alone."""
    ours: list[float] = []
    theirs: list[float] = []
    with installation() as services, bare_sqlite(services) as bare:
        services.ledger.integrate()
        for group in envelopes(services):
            rows = rows_of(group)
            ours.append(timed(lambda group=group: sequence(services, group)))
            theirs.append(timed(lambda rows=rows: insert_bare(bare, rows)))
    return [
        Row(
            "ledger, groups of 100, durable",
            ">= 0.5 of SQLite",
            ours,
            peer=PEER,
            theirs=theirs,
            least_ratio=0.5,
            note="sequenced: durable in the outbox; index, tiles and checkpoint follow within a second",
        )
    ]


def published_groups() -> list[Row]:
    """Commit many groups while the server's loop integrates, until the last is published; beside SQLite alone."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        with installation() as services, bare_sqlite(services) as bare:
            groups = envelopes(services)
            ours.append(timed(lambda services=services, groups=groups: publish_all(services, groups)) / len(groups))
            rows = [rows_of(group) for group in groups]
            theirs.append(timed(lambda bare=bare, rows=rows: [insert_bare(bare, each) for each in rows]) / len(rows))
    return [
        Row(
            "ledger, groups of 100, published",
            "printed",
            ours,
            peer=PEER,
            theirs=theirs,
            note=f"mean per group over {GROUPS} groups, until a checkpoint with two signatures covers the last",
        )
    ]


def publish_all(services: Services, groups: list[list[Envelope]]) -> None:
    """Sequence every group beside the server's loop, and wait until all are published."""
    done = threading.Event()
    loop = threading.Thread(target=lambda: integrate_until(services, done))
    loop.start()
    for group in groups:
        sequence(services, group)
    done.set()
    loop.join()
    services.ledger.published(groups[-1][-1].digest)


def integrate_until(services: Services, done: threading.Event) -> None:
    """Integrate as often as the server does."""
    while not done.wait(INTEGRATE_EVERY):
        services.ledger.integrate()


def proofs() -> list[Row]:
    """Prove random entries in a log of a million, each with nothing cached."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    draw = random.Random(1)  # noqa: S311 -- a benchmark's choice, repeated by its seed
    with tempfile.TemporaryDirectory() as place:
        tiles = DirectoryTiles(Path(place))
        grown = TileTree(tiles)
        root = b""
        for start in range(0, MILLION, BATCH):
            batch = [entry.encode(at, Digest.of(number.to_bytes(8))) for number in range(start, start + BATCH)]
            root = grown.extend(start, batch)
        chosen = [draw.randrange(MILLION) for _ in range(PROOFS)]
        leaf = tree.leaf_hash(entry.encode(at, Digest.of(chosen[0].to_bytes(8))))
        proof = tree.inclusion_proof(chosen[0], MILLION, TileTree(tiles).reader(MILLION))
        tree.verify_inclusion(chosen[0], MILLION, leaf, proof, root)
        times = [
            timed(lambda index=index: tree.inclusion_proof(index, MILLION, TileTree(tiles).reader(MILLION)))
            for index in chosen
        ]
    return [
        Row(
            "inclusion proof, 1 in 1,000,000",
            "< 5 ms",
            times,
            limit=5.0,
            note="from tile files, nothing of ours cached",
        )
    ]


def measure() -> list[Row]:
    """Measure all three."""
    return [*durable_groups(), *published_groups(), *proofs()]
