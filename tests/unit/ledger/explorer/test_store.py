"""The index in the database: it finds what looking at every statement finds, of one tenant, by any question."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import delete, update

from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Strength, Subject
from ringfence.ledger.explorer.model import Query
from ringfence.ledger.explorer.standing import resolve
from ringfence.ledger.explorer.store import EXPLORED, FACTS, SUBJECTS, IndexTables
from ringfence.storage.rows import STATEMENTS
from ringfence.testing.explorer import EveryStatement
from ringfence.testing.home import TENANT, draft, signed

pytestmark = pytest.mark.databases
NAMES = ("dataset/1", "dataset/10", "dataset/2", "Dataset/1", "data%", "data_", "~", "dataset/1 ")


def state(services, home, name, *others):
    subjects = tuple(Subject(each, Digest.of(each.encode())) for each in (name, *others))
    made = replace(draft(), subjects=subjects)
    envelope, opening = signed(services, home.people[Role.OWNER], made)
    with services.database.transaction():
        services.outbox.admit(envelope, opening, by=home.actor())
    return envelope


@pytest.fixture
def index(services, home, clock) -> IndexTables:
    for name in NAMES:
        state(services, home, name, "shared")
        clock.advance(timedelta(minutes=1))
    services.collectors["log.heartbeat"](TENANT)
    services.ledger.integrate()
    tables = IndexTables(services.database)
    assert not tables.catch_up(10_000).behind
    return tables


def questions(clock, head):
    subjects = ("", *NAMES, "data", "shared", "nothing", f"sha256:{Digest.of(b'dataset/1').hex[:7]}", "sha256:0000")
    kinds = ({}, {"actor": "operator"}, {"actor": "control-plane"}, {"standing": "untrusted"}, {"standing": "trusted"})
    for subject, kind in product(subjects, kinds):
        yield Query(subject=subject, **kind)
    now = clock.now()
    yield Query(since=now - timedelta(minutes=5), until=now - timedelta(minutes=2))
    yield Query(at=now - timedelta(minutes=4), subject="data")
    yield Query(before=head - 3, subject="data")
    yield Query(predicate=PredicateName("log.heartbeat"), strength=Strength.OBSERVED)
    yield Query(demo=True)
    yield Query(demo=False)
    for standing in ("unknown", "revoked", "expired", "not-yet-valid"):
        yield Query(standing=standing)


@pytest.mark.parametrize("few", [0, 2_000])
def test_it_finds_what_looking_at_everything_finds(services, index, clock, few) -> None:
    found_some = 0
    plain, tables = EveryStatement(services.ledger.statements), replace(index, few=few)
    head = services.ledger.head().checkpoint.size
    for query in questions(clock, head):
        asked = resolve(query, services.ledger.issuers(TENANT, query.at))
        wanted = plain.find(TENANT, asked, 1000)
        assert tables.find(TENANT, asked, 1000) == wanted, query
        assert tables.find(TENANT, asked, 2) == wanted[:2], query
        assert tables.count(TENANT, asked) == plain.count(TENANT, asked), query
        found_some += bool(wanted)
    assert found_some > 30


def test_nothing_of_another_tenant_is_found(services, index) -> None:
    other = Tenant("other")
    for query in (Query(subject="data"), Query(demo=False), Query(standing="trusted")):
        asked = resolve(query, services.ledger.issuers(TENANT))
        assert index.find(TENANT, asked, 100) != []
        assert index.find(other, asked, 100) == []
        assert index.count(other, asked).number == 0
    assert index.totals(other, None) == []
    assert index.numbers(other, None) == (0, 0, 0, 0)
    assert index.beside(other, 3, next(iter(index.totals(TENANT, None))).key, "shared").subject_before is None


def test_sequences_are_those_of_the_log(services, index) -> None:
    plain = EveryStatement(services.ledger.statements)
    assert index.totals(TENANT, None) == plain.totals(TENANT, None)
    assert index.numbers(TENANT, None) == plain.numbers(TENANT, None)
    assert index.tenant_jumps(TENANT, None, 10) == []
    logged = services.ledger.statements(TENANT)[-3]
    subject = logged.envelope.statement.subjects[0].name
    beside = plain.beside(TENANT, logged.entry, logged.envelope.signer, subject)
    assert index.beside(TENANT, logged.entry, logged.envelope.signer, subject) == beside


def test_a_statement_that_was_taken_away_leaves_a_gap(services, index) -> None:
    gone = services.ledger.statements(TENANT)[-4]
    with services.database.transaction():
        connection = services.database.connection()
        connection.execute(delete(STATEMENTS).where(STATEMENTS.c.entry == gone.entry))
        for table in (FACTS, SUBJECTS, EXPLORED):
            connection.execute(delete(table))
    index.catch_up(10_000)
    sequence, place = gone.envelope.statement.issuance.sequence, gone.place.sequence
    assert index.jumps(TENANT, gone.envelope.signer, None, 5) == [(sequence - 1, sequence + 1)]
    assert index.tenant_jumps(TENANT, None, 5) == [(place - 1, place + 1)]


def test_an_envelope_that_was_changed_is_in_no_answer(services, index) -> None:
    changed = services.ledger.statements(TENANT)[-4]
    name = changed.envelope.statement.subjects[0].name
    with services.database.transaction():
        connection = services.database.connection()
        connection.execute(update(STATEMENTS).where(STATEMENTS.c.entry == changed.entry).values(envelope=b"{}"))
        for table in (FACTS, SUBJECTS, EXPLORED):
            connection.execute(delete(table))
    assert not index.catch_up(10_000).behind
    asked = resolve(Query(subject=name), services.ledger.issuers(TENANT))
    assert changed.entry not in index.find(TENANT, asked, 100)


def test_it_is_filled_in_turns_and_says_how_far_it_is(services, home, index) -> None:
    start = index.reach()
    for number in range(5):
        state(services, home, f"late/{number}")
    services.ledger.integrate()
    assert index.reach().behind
    assert index.catch_up(2).entries == start.entries + 2
    assert index.catch_up(100).entries == start.entries + 5
    assert index.catch_up(100) == index.reach()
