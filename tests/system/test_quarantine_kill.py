"""Kill -9 at random moments while a node is cut off and freed, with a real database, journal and list of wishes."""

import json
import os
import random
import signal
import time
from contextlib import contextmanager

import pytest

from ringfence.compute import statements
from ringfence.compute.blobs import EvidenceFolder, IntentFile, NodeLocks
from ringfence.compute.containment import Containing
from ringfence.compute.desk import Desk
from ringfence.compute.lifecycle import Order
from ringfence.compute.model import Containment, NodeClass
from ringfence.compute.perimeter import Blocking
from ringfence.compute.releasing import Releasing
from ringfence.compute.service import Compute
from ringfence.compute.store import NodeTables, StatedTable
from ringfence.installation import SystemClock
from ringfence.kernel.commitment import commit
from ringfence.kernel.identifier import LogOrigin
from ringfence.kernel.statement import Issuance
from ringfence.storage.database import METADATA, Database
from ringfence.storage.journal import EmergencyJournal
from ringfence.storage.outbox import Outbox
from ringfence.storage.rows import STATEMENTS, intact
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing.nodes import ANNA, BERT, CARL, TENANT, MemoryKeep, World
from ringfence.testing.sandboxes import MemoryProvider, Port

LOG = LogOrigin("lab.example/log")


class AnyKey:
    """Let every statement in: who may state what is tested elsewhere."""

    def check(self, envelope, *, by, at):
        """Return."""


class Disk:
    """Where the fake provider keeps what it did, as the network helper does."""

    def __init__(self, path):
        self.path = path
        self.provider = MemoryProvider(self)

    def load(self, spec):
        """Read what an earlier process did."""
        if self.path.exists():
            kept = json.loads(self.path.read_text())
            self.provider.ports[spec.node] = Port(spec, cut=kept["cut"], kept="admitted")
            self.provider.cuts, self.provider.frees = [spec.node] * kept["cuts"], [spec.node] * kept["frees"]

    @contextmanager
    def effect(self, _name):
        """Do it, and keep it."""
        yield
        for port in self.provider.ports.values():
            kept = {"cut": port.cut, "cuts": len(self.provider.cuts), "frees": len(self.provider.frees)}
            beside = self.path.with_suffix(".new")
            beside.write_text(json.dumps(kept))
            beside.replace(self.path)


class Process:
    """One process of ours over what lies on disk."""

    def __init__(self, path, spec=None):
        clock = SystemClock()
        self.database = Database(f"sqlite:///{path / 'db'}")
        self.outbox = Outbox(self.database, Ed25519Signer.from_seed(b"c" * 32), AnyKey(), clock, os.urandom, LOG)
        journal = EmergencyJournal(path, Ed25519Signer.from_seed(b"e" * 32), self.outbox, clock, os.urandom, LOG)
        self.journal = journal
        intents, keep = IntentFile(path / "intents"), MemoryKeep(World())
        if spec is None:
            with self.database.transaction():
                METADATA.create_all(self.database.connection())
            journal.file(TENANT).create()
            intents.create()
        disk = Disk(path / "provider")
        if spec is not None:
            disk.load(spec)
        self.provider, self.intents = disk.provider, intents
        tables = NodeTables(self.database)
        desk = Desk(
            tables, {NodeClass.NAMESPACE: disk.provider}, self.outbox, self.database.transaction, clock, os.urandom,
            NodeLocks(),
        )  # fmt: skip
        stated = StatedTable(self.database, lambda tenant: journal.file(tenant).records())
        self.compute = Compute(
            desk,
            Containing(desk, journal, intents, EvidenceFolder(path / "evidence"), stated),
            Releasing(desk, intents, keep),
            Blocking(desk, keep, journal),
            keep,
            lambda _seconds: None,
        )

    def signed(self, draft, seed):
        """Sign as a person would."""
        signer = Ed25519Signer.from_seed(seed * 32)
        opening = commit(draft.details, os.urandom(32)) if draft.details else None
        nonce = os.urandom(16).hex()
        issuance = Issuance(
            TENANT, LOG, signer.key, draft.strength, self.outbox.next_sequence(TENANT, signer.key), nonce, nonce,
            SystemClock().now(),
        )  # fmt: skip
        commitment = opening.commitment if opening else None
        return signer.sign(draft.issued(issuance, commitment)), opening

    def cut_and_free(self, node):
        """Cut off, ask, approve: everything that the kill may hit."""
        self.compute.quarantine(TENANT, node.id, reason="tried", finding="f-1")
        row = self.compute.desk.fetch(node.id)
        before = self.compute.desk.quarantine(row).before
        request = self.signed(statements.release_request(row.id, row.subject, row.quarantine, before, "clean"), b"a")
        self.compute.releasing.ask(ANNA, "alpha", *request)
        approval = statements.release_approval(row.id, row.subject, row.quarantine, request[0].digest)
        self.compute.releasing.approve(BERT, "alpha", *self.signed(approval, b"b"))

    def said(self):
        """Return (predicate, number of the quarantine) of everything that was stated."""
        with self.database.reading() as connection:
            known = [intact(row) for row in connection.execute(STATEMENTS.select().order_by(STATEMENTS.c.id))]
        return [(e.statement.predicate, e.statement.claims.get("number")) for e in known]


def forked(path, spec, node):
    """Start the child that does it all."""
    child = os.fork()
    if child:
        return child
    try:
        Process(path, spec).cut_and_free(node)
    finally:
        os._exit(0)


@pytest.fixture
def ready(tmp_path):
    process = Process(tmp_path)
    node = process.compute.start(CARL, Order("alpha", NodeClass.NAMESPACE))
    process.database.close()
    return node


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.soak)])
def test_whatever_moment_the_kill_hits_all_comes_to_agree(tmp_path, ready, kills):
    began = time.monotonic()
    os.waitpid(forked(tmp_path, ready.spec, ready), 0)
    whole = time.monotonic() - began
    moments = random.Random(os.environ.get("RINGFENCE_SEED", "quarantine"))  # noqa: S311 - not a secret
    hit = 0
    for _ in range(kills):
        child = forked(tmp_path, ready.spec, ready)
        time.sleep(moments.uniform(0.1, 0.9) * whole)
        os.kill(child, signal.SIGKILL)
        hit += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        judged(tmp_path, ready)
    assert hit, "no kill came in time"


def judged(path, ready):
    """Restart, sweep, and look: agreed, nothing twice; then free the node for the next kill."""
    process = Process(path, ready.spec)
    process.journal.replay(TENANT)
    for first in (True, False):
        assert process.compute.sweep(first=first).problems == ()
    row = process.compute.desk.fetch(ready.id)
    cut = ready.id in process.provider.isolated()
    assert (row.containment, ready.id in process.intents.all(), cut) in {
        (Containment.NONE, False, False),
        (Containment.QUARANTINED, True, True),
    }
    said = process.said()
    once = [one for one in said if one[1] is not None and one[0] != statements.RELEASE_REQUESTED]
    assert len(once) == len(set(once)), "something was stated twice of one quarantine"
    released = [number for predicate, number in said if predicate == statements.RELEASED]
    assert len(process.provider.frees) == len(released)
    assert len(process.provider.cuts) == row.quarantine
    if cut:
        process.cut_and_free(ready)
    process.database.close()
