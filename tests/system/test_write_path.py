"""The write path on PostgreSQL: turns, commits that overtake each other, one integrator, servers that go away."""

import subprocess
import threading
import time

import pytest
from sqlalchemy import event, select, text

from ringfence.app import open_services
from ringfence.kernel.errors import InternalError, RingfenceError, Unavailable
from ringfence.kernel.evidence import Stage
from ringfence.storage.rows import STATEMENTS
from ringfence.testing.home import TENANT, draft, make
from ringfence.testing.postgresql import USER, server
from ringfence.testing.program import called
from ringfence.testing.programs import surroundings, tool


@pytest.fixture
def database_kind():
    return "postgresql"


def heartbeat(services, **more):
    return services.outbox.record(draft("log.heartbeat", **more), tenant=TENANT)


def in_thread(work):
    """Run something in a thread; return a function that waits for it and gives what came of it."""
    outcome = []

    def run():
        try:
            outcome.append((work(), None))
        except RingfenceError as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()

    def ended():
        thread.join(60)
        assert outcome, "it still waits"
        value, error = outcome[0]
        if error is not None:
            raise error
        return value

    return ended


class Delayed:
    """A transaction of another thread that is open for as long as the test wants."""

    def __init__(self, services, issue):
        self.open, self.go, self.fail = threading.Event(), threading.Event(), False
        self.acknowledged = None

        def work():
            with services.database.appending():
                self.acknowledged = issue()
                self.open.set()
                self.go.wait(60)
                if self.fail:
                    raise Unavailable("it gave up")
            return self.acknowledged

        self.ended = in_thread(work)
        assert self.open.wait(30)

    def commit(self):
        self.go.set()
        return self.ended()


def check(services):
    services.ledger.integrate()
    assert services.ledger.audit().failures == ()
    found = services.outbox.statements(TENANT)
    sequences = {}
    for stored in found:
        issuance = stored.envelope.statement.issuance
        sequences.setdefault(issuance.issuer, []).append(issuance.sequence)
    for one in sequences.values():
        assert one == list(range(1, len(one) + 1))
    return {stored.envelope.digest: stored for stored in found}


def test_what_began_first_and_commits_last_is_integrated_later_and_never_lost(services):
    services.ledger.integrate()
    slow = Delayed(services, lambda: heartbeat(services))
    quick = services.journal.record(draft("quarantine.requested"), tenant=TENANT)  # of another issuer: it does not wait
    assert quick.stage is Stage.SEQUENCED
    head = services.ledger.integrate()
    before = services.outbox.acknowledgement(quick.envelope)
    assert before.entry == head.checkpoint.size - 1
    assert services.outbox.acknowledgement(slow.acknowledged.envelope) is None  # not committed: nobody sees it
    late = slow.commit()
    known = check(services)
    assert known[late.envelope].entry == before.entry + 1
    with services.database.reading() as connection:
        rows = connection.execute(select(STATEMENTS.c.id, STATEMENTS.c.entry).order_by(STATEMENTS.c.id.desc())).all()
    assert rows[0].entry < rows[1].entry  # the number of the row says nothing about the place in the log


def test_what_was_delayed_and_rolled_back_leaves_no_gap(services):
    slow = Delayed(services, lambda: heartbeat(services))
    slow.fail = True
    with pytest.raises(Unavailable, match="gave up"):
        slow.commit()
    with services.database.transaction():
        heartbeat(services)
    check(services)


def wait_until_somebody_waits(postgresql, home):
    while not postgresql.execute("SELECT 1 FROM pg_locks WHERE NOT granted", database=home.database):
        time.sleep(0.01)


def test_statements_of_one_issuer_wait_for_each_other(services, home, postgresql):
    slow = Delayed(services, lambda: heartbeat(services))

    def second():
        with services.database.transaction():
            return heartbeat(services)

    ended = in_thread(second)
    wait_until_somebody_waits(postgresql, home)
    first = slow.commit()
    assert ended().sequence == first.sequence + 1
    check(services)


def test_an_idempotency_key_that_two_use_at_once_is_recorded_once(services, home, postgresql):
    slow = Delayed(services, lambda: heartbeat(services, idempotency_key="once"))

    def second():
        with services.database.appending():
            return heartbeat(services, idempotency_key="once")

    ended = in_thread(second)
    wait_until_somebody_waits(postgresql, home)
    assert slow.commit().envelope == ended().envelope
    check(services)


def test_nothing_is_decided_in_a_transaction_that_only_appends(services):
    with pytest.raises(InternalError, match="only appends"), services.database.appending():  # noqa: SIM117
        with services.database.transaction():
            pass


def test_deciders_take_turns(services):
    """What is read in a transaction cannot have changed when it commits: four times twenty additions."""
    with services.database.transaction():
        services.database.connection().execute(text("CREATE TABLE counter (n bigint)"))
        services.database.connection().execute(text("INSERT INTO counter VALUES (0)"))

    def count():
        for _ in range(20):
            with services.database.transaction():
                connection = services.database.connection()
                found = connection.execute(text("SELECT n FROM counter")).scalar()
                connection.execute(text("UPDATE counter SET n = :n"), {"n": found + 1})

    for ended in [in_thread(count) for _ in range(4)]:
        ended()
    with services.database.reading() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar() == 80


def test_a_reader_sees_one_state(services):
    with services.database.reading() as connection:
        first = len(connection.execute(select(STATEMENTS.c.id)).all())

        def write():
            with services.database.transaction():
                heartbeat(services)

        in_thread(write)()
        assert len(connection.execute(select(STATEMENTS.c.id)).all()) == first


def test_one_integrates_and_the_other_waits(home, clock, postgresql):
    with home.services(clock) as one, home.services(clock) as other:
        inside, go = threading.Event(), threading.Event()

        def hold():
            with one.ledger.exclusive():
                inside.set()
                go.wait(60)

        held = in_thread(hold)
        assert inside.wait(30)
        with other.database.transaction():
            acknowledged = heartbeat(other)
        waiting = in_thread(other.ledger.integrate)
        while not locks(postgresql, home, granted=False):
            time.sleep(0.01)
        assert other.outbox.acknowledgement(acknowledged.envelope).entry is None
        go.set()
        held()
        waiting()
        assert other.outbox.acknowledgement(acknowledged.envelope).entry is not None
        check(one)


def locks(postgresql, home, *, granted):
    query = "SELECT pid, classid, objid FROM pg_locks WHERE locktype = 'advisory' AND "
    return postgresql.execute(query + ("granted" if granted else "NOT granted"), database=home.database)


def test_an_integrator_whose_session_died_commits_nothing_and_keeps_nobody_out(home, clock, postgresql):
    with home.services(clock) as one, home.services(clock) as other:
        with one.database.transaction():
            acknowledged = heartbeat(one)
        written = []
        with pytest.raises(Unavailable, match="ended the connection"), one.ledger.exclusive():  # noqa: PT012
            pid = locks(postgresql, home, granted=True)[0][0]
            postgresql.execute(f"SELECT pg_terminate_backend({pid})")
            other.ledger.integrate()  # its place is free
            with one.database.transaction():
                written.append(heartbeat(one))
        assert written == []
        assert other.outbox.acknowledgement(acknowledged.envelope).entry is not None
        check(one)


def test_a_writer_that_stands_still_is_one_sentence(home, clock, postgresql):
    """Another process holds the writers' lock; ours gives up, here after 50 ms."""
    with home.services(clock) as services:
        with services.database.transaction():
            _, family, key = locks(postgresql, home, granted=True)[0]
        event.listen(services.database._engine, "checkout", hurry)
        with postgresql.connect(home.database) as other:
            other.execute(f"SELECT pg_advisory_lock({family}, {key})".encode())
            with pytest.raises(Unavailable, match="locked by another process"), services.database.transaction():
                pass
            with services.database.reading() as connection:  # readers are not kept out
                assert connection.execute(select(STATEMENTS.c.id)).first()


def hurry(connection, *_):
    connection.execute("SET lock_timeout = '50ms'")
    connection.commit()


def services_setting(services, name):
    with services.database.reading() as connection:
        return connection.execute(text(f"SHOW {name}")).all()


def test_a_commit_is_durable_whatever_the_server_says_by_default(home, clock, postgresql):
    postgresql.execute(f'ALTER DATABASE "{home.database}" SET synchronous_commit = off')
    with home.services(clock) as services:
        assert services_setting(services, "synchronous_commit") == [("on",)]


def test_the_database_of_another_log_is_refused(home, clock):
    marker = home.path / "ringfence.json"
    marker.write_bytes(marker.read_bytes().replace(b"lab.example/installation", b"lab.example/another"))
    with (
        pytest.raises(Unavailable, match="holds the log lab.example/installation".replace(".", "[.]")),
        home.services(clock),
    ):
        pass


# A server that goes away, and copies of a database


@pytest.fixture
def mortal():
    """A server of the test's own, which it may stop."""
    with server() as running:
        yield running


def test_containment_acts_and_is_recorded_while_the_server_is_away(mortal, tmp_path, clock):
    home = make(tmp_path / "home", clock, server=mortal)
    with home.services(clock) as services:
        mortal.stop()
        urgent = services.journal.record(draft("quarantine.requested"), tenant=TENANT)
        assert urgent.stage is Stage.JOURNALLED
        with pytest.raises(Unavailable), services.database.transaction():
            heartbeat(services)
        mortal.start()
        assert services.replay_journals() == 1
        assert check(services)[urgent.envelope].envelope.statement.issuance.late


def test_an_older_copy_of_the_database_signs_nothing(home, clock, postgresql):
    older = postgresql.create(template=home.database)
    with home.services(clock) as services:
        with services.database.transaction():
            heartbeat(services)
        services.ledger.integrate()
    with open_services(home.settings(database_url=postgresql.url(older)), clock=clock) as services:
        with pytest.raises(Unavailable, match="older than the log"):
            services.ledger.integrate()
        with pytest.raises(Unavailable, match="older than the log"), services.ledger.publishable():
            heartbeat(services)
    postgresql.drop(older)


def test_what_pg_dump_wrote_is_the_same_log(home, clock, postgresql, tmp_path):
    """How-to back-up-and-restore."""
    with home.services(clock) as services:
        with services.database.transaction():
            heartbeat(services)
        before = check(services)
    where = ["-h", str(postgresql.socket_folder), "-U", USER]
    dumped, empty = tmp_path / "evidence.dump", postgresql.create()
    for command in (
        [tool("pg_dump"), *where, "-Fc", "-f", dumped, home.database],
        [tool("pg_restore"), *where, "--exit-on-error", "-d", empty, dumped],
    ):
        done = subprocess.run([str(part) for part in command], env=surroundings(), capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
    with open_services(home.settings(database_url=postgresql.url(empty)), clock=clock) as services:
        assert check(services).keys() == before.keys()
        with services.database.transaction():
            heartbeat(services)
        check(services)
    postgresql.drop(empty)


def test_the_command_line_makes_an_installation_on_postgresql(postgresql, tmp_path):
    name = postgresql.create()
    given = {"RINGFENCE_HOME": str(tmp_path / "home")}
    refused = called(given, "init", "--database", "postgresql://ringfence:hunter2@localhost/evidence")
    assert (refused.returncode, "hunter2" in refused.stderr) == (2, False)
    made = called(given, "init", "--database", postgresql.url(name), "--json")
    assert made.returncode == 0, made.stderr
    for more in ({}, {"RINGFENCE_DATABASE_URL": postgresql.url(name)}):
        done = called({**given, **more}, "record", "log.heartbeat", "--json")
        assert done.returncode == 0, done.stderr
    elsewhere = called({**given, "RINGFENCE_DATABASE_URL": postgresql.url("nowhere")}, "record", "log.heartbeat")
    assert (elsewhere.returncode, "no database of that name" in elsewhere.stderr) == (4, True), elsewhere.stderr
    postgresql.drop(name)


def test_a_log_of_objects_is_kept_elsewhere(tmp_path):
    """`init --tiles`: the home keeps no tile."""
    given = {"RINGFENCE_HOME": str(tmp_path / "home")}
    made = called(given, "init", "--tiles", f"file://{tmp_path}/published", "--json")
    assert made.returncode == 0, made.stderr
    assert called(given, "record", "log.chain_verified", "--json").returncode == 0
    assert list((tmp_path / "home" / "log").iterdir()) == []
    assert (tmp_path / "published" / "checkpoint").exists()
