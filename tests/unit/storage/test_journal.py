import os
import shutil
import sqlite3
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError, MalformedInput, Unavailable, UsageError
from ringfence.kernel.evidence import Stage
from ringfence.kernel.statement import Subject
from ringfence.ledger.model import Standing
from ringfence.storage.journal import HEADER, MAGIC, JournalFile
from ringfence.testing import keys
from ringfence.testing.home import TENANT, draft

ISSUER = keys.state(keys.ed25519(9), "key.revoked", {"n": 1}, Subject("a", Digest.of(b"a"))).signer


def envelope(sequence=1):
    return keys.state(keys.ed25519(9), "key.revoked", {"n": sequence}, Subject("a", Digest.of(b"a")), sequence=sequence)


@pytest.fixture
def file(tmp_path):
    made = JournalFile(tmp_path / "j", size=2**16)
    made.create()
    return made


def test_records_come_back_in_order(file):
    for number in (1, 2, 3):
        file.append(envelope(number))
    assert file.records() == [envelope(number) for number in (1, 2, 3)]
    assert file.last_sequence(ISSUER) == 3


def test_clearing_keeps_the_sequence_and_the_disk(file):
    file.append(envelope(1))
    file.clear()
    assert file.records() == []
    assert file.last_sequence(ISSUER) == 1
    assert file.path.stat().st_size == 2**16
    file.append(envelope(2))
    assert file.records() == [envelope(2)]


def test_the_disk_is_reserved_when_it_is_made(file):
    assert file.path.stat().st_blocks * 512 >= 2**16
    assert file.path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="exists already"):
        file.create()


@pytest.mark.parametrize("cut", [1, 5, 40, 100])
def test_a_torn_record_is_ignored_and_those_before_it_stay(file, cut):
    file.append(envelope(1))
    file.append(envelope(2))
    second = HEADER + 36 + len(envelope(1).data)
    data = bytearray(file.path.read_bytes())
    end = second + 36 + len(envelope(2).data)
    data[end - cut : end] = bytes(cut)
    file.path.write_bytes(data)
    assert file.records() == [envelope(1)]
    file.append(envelope(2))
    assert file.records() == [envelope(1), envelope(2)]


def test_a_length_beyond_the_file_ends_it(file):
    file.append(envelope(1))
    data = bytearray(file.path.read_bytes())
    data[HEADER : HEADER + 4] = b"\xff\xff\xff\xff"
    file.path.write_bytes(data)
    assert file.records() == []


def test_a_lost_header_does_not_reuse_a_sequence(file):
    file.append(envelope(1))
    file.append(envelope(2))
    with file.path.open("r+b") as stream:  # the crash spared the record, not the header before it
        stream.seek(len(MAGIC))
        stream.write((1).to_bytes(8, "big"))
    assert file.last_sequence(ISSUER) == 2


def test_a_full_journal_says_so_and_keeps_what_it_has(tmp_path):
    file = JournalFile(tmp_path / "j", size=HEADER + 3 * (36 + len(envelope(1).data)))
    file.create()
    taken = 0
    with pytest.raises(Unavailable, match="is full"):  # noqa: PT012 - the first that does not fit
        while True:
            file.append(envelope(taken + 1))
            taken += 1
    assert taken == 2
    assert len(file.records()) == 2
    assert file.last_sequence(ISSUER) == 2


def test_a_key_that_comes_later_begins_at_one(file):
    later = keys.state(keys.ed25519(10), "key.revoked", {"n": 1}, Subject("a", Digest.of(b"a")))
    for number in (1, 2, 3):
        file.append(envelope(number))
    assert file.last_sequence(later.signer) == 0
    file.clear()
    assert file.last_sequence(later.signer) == 0
    file.append(later)
    assert file.last_sequence(later.signer) == 1


def test_a_journal_from_before_that_was_kept_counts_for_the_key_that_is_in_use(file):
    file.append(envelope(3))
    file.clear()
    with file.path.open("r+b") as stream:
        stream.seek(len(MAGIC) + 8)
        stream.write(bytes(32))
    assert file.last_sequence(ISSUER) == 3
    file.count_for(ISSUER)
    file.count_for("ab" * 32)
    assert (file.last_sequence(ISSUER), file.last_sequence("ab" * 32)) == (3, 0)


def test_another_file_is_not_a_journal(tmp_path):
    (tmp_path / "j").write_bytes(b"x" * 200)
    with pytest.raises(MalformedInput, match="not an emergency journal"):
        JournalFile(tmp_path / "j").records()


# With the database


def emergency(services, **changes):
    return services.journal.record(draft("key.revoked", {"n": 1}, **changes), tenant=TENANT)


def late(services):
    services.ledger.integrate()
    return [s for s in services.ledger.statements(TENANT) if s.envelope.statement.issuance.late]


def test_with_a_database_it_is_sequenced_at_once_and_marked_late(services):
    assert emergency(services).stage is Stage.SEQUENCED
    assert [s.envelope.statement.issuance.sequence for s in late(services)] == [1]
    assert services.journal.file(TENANT).records() == []


@pytest.fixture
def hurried(services):
    """The services, with a database that gives up on a lock after 50 ms."""
    services.database._engine.dispose()
    event.listen(services.database._engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=50"))
    return services


@pytest.fixture
def locked(home):
    other = sqlite3.connect(home.path / "ringfence.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


@pytest.mark.sqlite
def test_it_survives_a_locked_database_and_is_sequenced_later(hurried, locked):
    first, second = emergency(hurried), emergency(hurried)
    assert [first.stage, second.stage] == [Stage.JOURNALLED, Stage.JOURNALLED]
    assert (first.sequence, second.sequence) == (1, 2)
    locked.rollback()
    assert hurried.journal.replay(TENANT) == 2
    assert hurried.journal.replay(TENANT) == 0
    assert [s.envelope.digest for s in late(hurried)] == [first.envelope, second.envelope]


@pytest.mark.sqlite
def test_it_survives_a_full_database(services):
    with services.database.reading() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
    services.database._engine.dispose()
    event.listen(services.database._engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count={pages}"))
    stages = {emergency(services).stage for _ in range(60)}
    assert Stage.JOURNALLED in stages
    assert services.journal.file(TENANT).records()


def test_a_crash_between_commit_and_clear_sequences_nothing_twice(services):
    acknowledged = emergency(services)
    stored = services.ledger.integrate() and late(services)[0].envelope
    services.journal.file(TENANT).append(stored)  # as if `clear` had never happened
    assert services.journal.replay(TENANT) == 1
    assert [s.envelope.digest for s in late(services)] == [acknowledged.envelope]


def test_two_at_once_lose_nothing(home, services):
    with home.services(services.clock) as other:  # its own lock of threads, as another process would have
        acknowledged = []

        def work(which):
            acknowledged.extend(emergency(which).envelope for _ in range(15))

        threads = [threading.Thread(target=work, args=(which,)) for which in (services, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        services.journal.replay(TENANT)
        assert len(set(acknowledged)) == 30
        assert {s.envelope.digest for s in late(services)} == set(acknowledged)
        assert [s.envelope.statement.issuance.sequence for s in late(services)] == list(range(1, 31))


def test_details_would_need_the_database(services):
    with pytest.raises(InternalError):
        emergency(services, details={"why": "x"})


def test_a_journal_of_nobody_is_one_sentence(services):
    with pytest.raises(UsageError, match="does not exist"):
        services.journal.replay("nobody")


def test_a_demo_tenant_marks_its_emergencies(services):
    demo = replace(services.outbox, demo_tenants=frozenset({TENANT}))
    assert replace(services.journal, outbox=demo).record(draft("key.revoked"), tenant=TENANT)
    assert late(services)[0].envelope.statement.issuance.demo


@pytest.mark.sqlite
@pytest.mark.usefixtures("locked")
def test_it_is_written_before_it_is_acknowledged(hurried):
    acknowledged = emergency(hurried)
    descriptor = os.open(hurried.journal.file(TENANT).path, os.O_RDONLY)
    try:
        assert acknowledged.envelope.value in os.pread(descriptor, 2**16, 0)
    finally:
        os.close(descriptor)


# Without the signer


class Away:
    """A signer whose process has ended, until it is back."""

    def __init__(self, signer):
        self.signer, self.key, self.back = signer, signer.key, False

    def sign(self, statement):
        if not self.back:
            raise Unavailable("the signer does not answer")
        return self.signer.sign(statement)


@pytest.fixture
def signer_away(services):
    return replace(services.journal, signer=Away(services.journal.signer))


def test_without_the_signer_it_is_durable_and_signed_when_that_is_back(services, signer_away, clock):
    done = [signer_away.record(draft("source.blocked", {"n": number}), tenant=TENANT) for number in (1, 2)]
    assert [(each.stage, each.sequence) for each in done] == [(Stage.JOURNALLED, 1), (Stage.JOURNALLED, 2)]
    with pytest.raises(Unavailable):
        signer_away.replay(TENANT)
    assert late(services) == []
    issued = clock.now()
    clock.advance(timedelta(hours=3))
    signer_away.signer.back = True
    assert signer_away.replay(TENANT) == 2
    assert signer_away.file(TENANT).records() == []
    found = late(services)
    assert [each.envelope.statement.claims["n"] for each in found] == [1, 2]
    assert {each.envelope.statement.issuance.issued_at for each in found} == {issued}
    assert {each.standing for each in found} == {Standing.TRUSTED}
    assert signer_away.record(draft("source.blocked"), tenant=TENANT).sequence == 3


def test_what_was_signed_late_and_broken_off_is_not_sequenced_twice(services, signer_away):
    signer_away.record(draft("source.blocked"), tenant=TENANT)
    kept = signer_away.file(TENANT).path.read_bytes()
    signer_away.signer.back = True
    signer_away.replay(TENANT)
    signer_away.file(TENANT).path.write_bytes(kept)  # the crash came after the commit, before the journal was cleared
    signer_away.replay(TENANT)
    assert len(late(services)) == 1


@pytest.mark.sqlite
def test_signed_and_unsigned_records_keep_their_order(services, signer_away, hurried, locked):
    assert hurried is services
    services.journal.record(draft("source.blocked", {"n": 1}), tenant=TENANT)
    signer_away.record(draft("source.blocked", {"n": 2}), tenant=TENANT)
    services.journal.record(draft("source.blocked", {"n": 3}), tenant=TENANT)
    locked.execute("ROLLBACK")
    signer_away.signer.back = True
    signer_away.replay(TENANT)
    assert [each.envelope.statement.claims["n"] for each in late(services)] == [1, 2, 3]


def test_what_the_signer_refuses_for_its_date_stays_and_stops_nothing_else(services, signer_away, clock):
    """Away for eight days: that one is not signed any more, and what is stated from now on is."""
    signer_away.record(draft("source.blocked", {"n": 1}), tenant=TENANT)
    (waiting,) = signer_away.file(TENANT).records()
    clock.advance(timedelta(days=8))
    signer_away.signer.back = True
    for number in (2, 3):
        assert signer_away.record(draft("source.blocked", {"n": number}), tenant=TENANT).stage is Stage.SEQUENCED
    assert services.replay_journals() == 0
    assert signer_away.file(TENANT).records() == [waiting]
    assert [each.envelope.statement.claims["n"] for each in late(services)] == [2, 3]


def of_a_copy(services, tmp_path):
    """The journal of a second home with the same key, on the same database."""
    shutil.copytree(services.journal.directory, tmp_path / "copy")
    return replace(services.journal, directory=tmp_path / "copy", _refused=set(), _counted=set())


def test_a_home_that_is_older_than_the_log_counts_on_from_it(services, tmp_path):
    copy = of_a_copy(services, tmp_path)
    for _ in range(3):
        services.journal.record(draft("quarantine.requested"), tenant=TENANT)
    copy.replay(TENANT)  # as `ringfence up` does when it takes over
    assert copy.record(draft("quarantine.confirmed"), tenant=TENANT).stage is Stage.SEQUENCED
    assert emergency_sequences(services) == [1, 2, 3, 4]


def test_two_homes_that_count_apart_lose_no_later_statement(services, tmp_path, caplog):
    copy = of_a_copy(services, tmp_path)
    copy.replay(TENANT)
    services.journal.record(draft("quarantine.requested"), tenant=TENANT)
    assert copy.record(draft("quarantine.confirmed"), tenant=TENANT).stage is Stage.JOURNALLED
    assert "another home has stated something else under its number" in caplog.text
    assert copy.record(draft("quarantine.failed"), tenant=TENANT).stage is Stage.SEQUENCED
    assert emergency_sequences(services) == [1, 2]
    assert [statement.predicate for statement in copy.waiting(TENANT)] == ["quarantine.confirmed"]


def emergency_sequences(services):
    services.ledger.integrate()
    stated = [one.envelope.statement.issuance for one in services.ledger.statements(TENANT)]
    return [issuance.sequence for issuance in stated if issuance.issuer == services.journal.signer.key]
