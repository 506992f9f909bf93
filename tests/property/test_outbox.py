"""Two processes append at once: no gap, no fork, never two checkpoints of one size."""

import subprocess
import sys
from collections import Counter
from contextlib import suppress
from subprocess import PIPE

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ringfence.kernel.digest import Digest
from ringfence.ledger import tree
from ringfence.ledger.store import CHECKPOINTS
from ringfence.storage.rows import STATEMENTS
from ringfence.testing.home import TENANT, observed

CHILD = """
import sys
from pathlib import Path
from ringfence.app import open_services
from ringfence.settings import Settings
from ringfence.testing.home import TENANT, observed

with open_services(Settings(home=Path(sys.argv[1]))) as services:
    for number in range(int(sys.argv[2])):
        with services.database.transaction():
            done = services.outbox.record(observed(claims={"n": number}), tenant=TENANT)
        print(done.envelope)
        if number % 20 == 19:
            services.ledger.integrate()
    services.ledger.integrate()
"""


def appended_at_once(home, each):
    command = [sys.executable, "-c", CHILD, str(home.path), str(each)]
    children = [subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True) for _ in range(2)]
    acknowledged = []
    for child in children:
        printed, errors = child.communicate(timeout=280 if each <= 1000 else None)
        assert (child.returncode, errors) == (0, "")
        acknowledged += printed.split()
    assert len(acknowledged) == 2 * each
    return acknowledged


def check(home, each, acknowledged):
    with home.services() as services:
        services.ledger.integrate()
        with services.database.reading() as connection:
            rows = connection.execute(select(STATEMENTS).order_by(STATEMENTS.c.id)).all()
            sizes = connection.execute(select(CHECKPOINTS.c.size)).scalars().all()
        own = [row for row in rows if row.issuer == services.outbox.signer.key]
        assert [row.sequence for row in own] == list(range(1, 2 * each + 1))
        assert sorted(row.entry for row in rows) == list(range(len(rows)))
        assert [row.entry for row in own] == sorted(row.entry for row in own)
        assert {str(Digest(row.digest)) for row in rows} >= set(acknowledged)
        assert max(Counter(sizes).values()) == 1
        assert services.ledger.audit().failures == ()
        head = services.ledger.head().checkpoint
        for size in sizes:
            root = services.ledger.checkpoint(size).checkpoint.root
            proof = services.ledger.consistency_proof(size, head.size)
            tree.verify_consistency(size, root, head.size, head.root, proof)


@pytest.mark.databases
def test_two_processes_append_at_once(home_now, database_kind):
    each = 200 if database_kind == "sqlite" else 1000
    check(home_now, each, appended_at_once(home_now, each))


@pytest.mark.databases
@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_processes_append_ten_thousand_each(home_now):
    check(home_now, 10_000, appended_at_once(home_now, 10_000))


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["record", "fail", "integrate"]), max_size=12))
def test_whatever_happens_the_sequence_has_no_gap(services, acts):
    for act in acts:
        if act == "integrate":
            services.ledger.integrate()
            continue
        with suppress(ZeroDivisionError), services.database.transaction():
            services.outbox.record(observed(), tenant=TENANT)
            1 / (act != "fail")
    services.ledger.integrate()
    own = [s for s in services.outbox.statements(TENANT) if s.envelope.signer == services.outbox.signer.key]
    assert [s.envelope.statement.issuance.sequence for s in own] == list(range(1, len(own) + 1))
    assert services.ledger.audit().failures == ()
