"""Two processes append at once: no gap, no fork, never two checkpoints of one size."""

import subprocess
import sys
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ringfence.ledger import tree
from ringfence.ledger.store import CHECKPOINTS
from ringfence.storage.rows import STATEMENTS
from ringfence.testing.home import TENANT, draft

CHILD = """
import sys
from pathlib import Path
from ringfence.app import open_services
from ringfence.settings import Settings
from ringfence.testing.home import TENANT, draft

with open_services(Settings(home=Path(sys.argv[1]))) as services:
    for number in range(int(sys.argv[2])):
        with services.database.transaction():
            services.outbox.record(draft(claims={"n": number}), tenant=TENANT)
        if number % 20 == 19:
            services.ledger.integrate()
    services.ledger.integrate()
"""


def appended_at_once(home, each):
    command = [sys.executable, "-c", CHILD, str(home.path), str(each)]
    children = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for child in children:
        _, errors = child.communicate(timeout=280 if each < 1000 else None)
        assert (child.returncode, errors) == (0, "")


def check(home, each):
    with home.services() as services:
        services.ledger.integrate()
        with services.database.reading() as connection:
            rows = connection.execute(select(STATEMENTS).order_by(STATEMENTS.c.id)).all()
            sizes = connection.execute(select(CHECKPOINTS.c.size)).scalars().all()
        sequences = [row.sequence for row in rows if row.issuer == services.outbox.signer.key]
        assert sequences == list(range(1, 2 * each + 1))
        assert sorted(row.entry for row in rows) == list(range(len(rows)))
        assert [row.entry for row in rows] == sorted(row.entry for row in rows)
        assert max(Counter(sizes).values()) == 1
        assert services.ledger.audit().failures == ()
        head = services.ledger.head().checkpoint
        for size in sizes:
            root = services.ledger.checkpoint(size).checkpoint.root
            proof = services.ledger.consistency_proof(size, head.size)
            tree.verify_consistency(size, root, head.size, head.root, proof)


def test_two_processes_append_at_once(home_now):
    appended_at_once(home_now, 200)
    check(home_now, 200)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_processes_append_ten_thousand_each(home_now):
    appended_at_once(home_now, 10_000)
    check(home_now, 10_000)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["record", "fail", "integrate"]), max_size=12))
def test_whatever_happens_the_sequence_has_no_gap(services, acts):
    for act in acts:
        if act == "integrate":
            services.ledger.integrate()
            continue
        with suppress(ZeroDivisionError), services.database.transaction():
            services.outbox.record(draft(), tenant=TENANT)
            1 / (act != "fail")
    services.ledger.integrate()
    own = [s for s in services.outbox.statements(TENANT) if s.envelope.signer == services.outbox.signer.key]
    assert [s.envelope.statement.issuance.sequence for s in own] == list(range(1, len(own) + 1))
    assert services.ledger.audit().failures == ()
