import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import select

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError, NotFound, Unavailable
from ringfence.kernel.evidence import Stage
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger import checkpoint, entry, tree
from ringfence.storage.rows import STATEMENTS
from ringfence.testing.home import TENANT, observed


def record(services, **changes):
    with services.database.transaction():
        return services.outbox.record(observed(**changes), tenant=TENANT)


def rows(services):
    with services.database.reading() as connection:
        return connection.execute(select(STATEMENTS)).all()


def published_note(home):
    return (home.path / "log" / "checkpoint").read_text()


def test_what_is_integrated_is_published(services, home):
    done = record(services)
    signed = services.ledger.integrate()
    assert published_note(home) == signed.note
    opened = checkpoint.open_note(signed.note, services.ledger.log_keys, services.ledger.log)
    assert opened.checkpoint == signed.checkpoint
    acknowledged = services.ledger.published(done.envelope)
    assert (acknowledged.stage, acknowledged.entry) == (Stage.PUBLISHED, signed.checkpoint.size - 1)
    assert services.ledger.integrate() is None


def test_the_log_itself_binds_when_it_took_a_statement_in(services, clock):
    clock.advance(timedelta(hours=1))
    done = record(services)
    index = services.ledger.published(done.envelope).entry
    (data,) = services.ledger.tree.entries(index, index + 1)
    assert entry.decode(data) == entry.Entry(clock.now(), done.envelope, _place(services, index + 1))


def test_every_entry_is_proven_and_every_head_continues_the_one_before(services):
    sizes = []
    for number in range(6):
        record(services, claims={"n": number})
        sizes.append(services.ledger.integrate().checkpoint.size)
    head = services.ledger.head().checkpoint
    for index, data in enumerate(services.ledger.tree.entries(0, head.size)):
        path = services.ledger.inclusion_proof(index, head.size)
        tree.verify_inclusion(index, head.size, tree.leaf_hash(data), path, head.root)
    for size in sizes:
        old = services.ledger.checkpoint(size).checkpoint
        path = services.ledger.consistency_proof(size, head.size)
        tree.verify_consistency(size, old.root, head.size, head.root, path)


def test_a_size_that_was_never_published_is_not_found(services):
    with pytest.raises(NotFound):
        services.ledger.checkpoint(10**6)


# Crashes


def test_a_crash_between_commit_and_publication_is_made_good(services, home):
    done = record(services)
    before = published_note(home)
    signed = services.ledger._integrate()  # the process dies here: committed, not yet published
    assert published_note(home) == before
    with home.services(services.clock) as reopened:
        assert reopened.ledger.published(done.envelope).stage is Stage.PUBLISHED
        assert published_note(home) == signed.note
        assert reopened.ledger.audit().failures == ()


def test_a_crash_between_commit_and_publication_is_made_good_by_the_next_round(services, home):
    record(services)
    signed = services.ledger._integrate()
    with home.services(services.clock) as reopened:
        assert reopened.ledger.integrate() is None
    assert published_note(home) == signed.note


def test_a_crash_before_the_commit_leaves_everything_pending(services):
    record(services)
    before = services.ledger.head()

    class Stop(Exception):
        pass

    with pytest.raises(Stop), services.database.transaction():  # noqa: PT012 - the crash comes after
        services.ledger._decide()
        raise Stop
    assert services.ledger.head() == before
    assert [row for row in rows(services) if row.entry is None]


def test_a_head_that_was_decided_and_not_signed_is_signed_before_anything_else(services, home):
    first = record(services)
    head, _ = services.ledger._decide()  # the process dies here: its statements have indexes, and no head covers them
    second = record(services, claims={"n": 2})
    with home.services(services.clock) as reopened:
        last = reopened.ledger.integrate()
        assert reopened.ledger.checkpoints.decided() is None
        assert reopened.ledger.checkpoint(head.size).checkpoint == head
        assert last.checkpoint.size == head.size + 1
        for done in (first, second):
            assert reopened.ledger.published(done.envelope).stage is Stage.PUBLISHED
        assert reopened.ledger.audit().failures == ()


def test_a_head_that_was_decided_is_signed_where_nothing_else_waits(services, home):
    done = record(services)
    head, _ = services.ledger._decide()
    with home.services(services.clock) as reopened:
        assert reopened.ledger.integrate().checkpoint == head
        assert reopened.ledger.published(done.envelope).stage is Stage.PUBLISHED


def test_entries_that_changed_after_their_head_was_decided_are_not_signed(services, home):
    record(services)
    services.ledger._decide()
    home.alter("UPDATE statements SET recorded_at = recorded_at + 1 WHERE entry = (SELECT max(entry) FROM statements)")
    before = published_note(home)
    with pytest.raises(InternalError, match="do not have the root that was decided"):
        services.ledger.integrate()
    assert published_note(home) == before


def test_tiles_written_by_half_are_written_again(services, home):
    record(services)
    services.ledger._integrate()
    size = services.ledger.head().checkpoint.size
    services.ledger.tree.extend(size - 1, _entries(services, size - 1, size))  # tiles, but no checkpoint yet
    with home.services(services.clock) as reopened:
        reopened.ledger.integrate()
        assert reopened.ledger.audit().failures == ()


def _entries(services, start, end):
    return services.ledger._entries(start, end)


def _place(services, sequence, tenant=TENANT):
    return entry.Place(entry.tenant_tag(services.ledger.tenant_salt(tenant), tenant), sequence)


# An older database


def older(home, services):
    """Publish more, then put the database of before back."""
    backup = home.path.parent / "backup.db"
    with closing(sqlite3.connect(home.path / "ringfence.db")) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    record(services)
    services.ledger.integrate()
    services.database.close()
    for file in home.path.glob("ringfence.db*"):
        file.unlink()
    shutil.move(backup, home.path / "ringfence.db")


@pytest.mark.sqlite
def test_an_older_database_makes_it_refuse_to_sign(services, home):
    older(home, services)
    note = published_note(home)
    with home.services(services.clock) as restored:
        before = restored.ledger.head()
        done = record(restored)
        for act in (restored.ledger.integrate, lambda: restored.ledger.published(done.envelope)):
            with pytest.raises(Unavailable, match="older than the log"):
                act()
        assert restored.ledger.head() == before
        assert published_note(home) == note


@pytest.mark.sqlite
def test_with_an_older_database_a_collector_states_nothing(services, home):
    older(home, services)
    with home.services(services.clock) as restored:
        before = len(rows(restored))
        with pytest.raises(Unavailable, match="older than the log"):
            restored.collectors["log.heartbeat"](TENANT)
        assert len(rows(restored)) == before


@pytest.mark.parametrize("content", [b"", b"x", b"\xff\n\n", b"lab.example/installation\n-1\nAAAA\n\n", b"a\n1\n"])
def test_a_damaged_checkpoint_file_is_one_sentence(services, home, content):
    (home.path / "log" / "checkpoint").write_bytes(content)
    record(services)
    with pytest.raises(Unavailable, match="damaged"):
        services.ledger.integrate()
    (home.path / "log" / "checkpoint").unlink()
    services.ledger.integrate()
    assert services.ledger.audit().failures == ()


# Time


def test_a_clock_before_the_newest_entry_writes_nothing(services, clock):
    record(services)
    services.ledger.integrate()
    clock.advance(-timedelta(minutes=1))
    before, head = len(rows(services)), services.ledger.head()
    with pytest.raises(Unavailable, match="set the clock"):
        services.collectors["log.heartbeat"](TENANT)
    assert (len(rows(services)), services.ledger.head()) == (before, head)


def test_a_clock_that_goes_back_after_sequencing_signs_nothing(services, clock):
    record(services)
    head = services.ledger.head()
    clock.advance(-timedelta(days=1))
    with pytest.raises(Unavailable, match="set the clock"):
        services.ledger.integrate()
    assert services.ledger.head() == head
    clock.advance(timedelta(days=1))
    assert services.ledger.integrate()


# Many at once


def test_many_wait_for_publication_at_once(services):
    digests = [record(services, claims={"n": number}).envelope for number in range(8)]
    found, failures = [], []

    def wait(digest):
        try:
            found.append(services.ledger.published(digest))
        except Exception as error:  # noqa: BLE001 - the test shows whatever it was
            failures.append(error)

    threads = [threading.Thread(target=wait, args=(digest,)) for digest in digests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {done.stage for done in found} == {Stage.PUBLISHED}
    assert sorted(done.envelope for done in found) == sorted(digests)
    assert services.ledger.audit().failures == ()


def test_an_audit_beside_an_integrator_finds_nothing_wrong(services):
    stop, failures = threading.Event(), []

    def integrate():
        while not stop.is_set():
            record(services)
            services.ledger.integrate()

    thread = threading.Thread(target=integrate)
    thread.start()
    try:
        for _ in range(15):
            failures.extend(services.ledger.audit().failures)
    finally:
        stop.set()
        thread.join()
    assert failures == []


def test_an_audit_between_commit_and_publication_finds_nothing_wrong(services):
    record(services)
    services.ledger._integrate()
    assert services.ledger.audit().failures == ()


def test_nobody_waits_for_what_was_never_recorded(services):
    with pytest.raises(NotFound):
        services.ledger.published(Digest.of(b"nothing"))


# Reading


def test_statements_are_those_of_the_tenant_up_to_a_time(services, clock):
    first = record(services)
    services.ledger.integrate()
    then = clock.now()
    clock.advance(timedelta(hours=1))
    second = record(services)
    services.ledger.integrate()
    wanted = [PredicateName("lab.observed")]
    assert [s.envelope.digest for s in services.ledger.statements(TENANT, wanted)] == [first.envelope, second.envelope]
    assert [s.envelope.digest for s in services.ledger.statements(TENANT, wanted, at=then)] == [first.envelope]
    assert services.ledger.statements(Tenant("other")) == []


def test_what_is_pending_does_not_count_yet(services):
    record(services)
    assert services.ledger.statements(TENANT, [PredicateName("ai.classification")]) == []


def test_a_changed_envelope_counts_for_nothing(services, home):
    record(services)
    services.ledger.integrate()
    home.alter("UPDATE statements SET envelope = envelope || ' ' WHERE predicate = 'ai.classification'")
    assert services.ledger.statements(TENANT, [PredicateName("ai.classification")]) == []
