import os
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from ringfence.gateway.blobs import SegmentFiles
from ringfence.identity.store import PEOPLE
from ringfence.incidents.store import EVENTS, INCIDENTS
from ringfence.kernel.actor import Role
from ringfence.kernel.clock import to_millis
from ringfence.kernel.errors import MalformedInput, NotFound, Refused
from ringfence.retention.erasing import Asked
from ringfence.retention.model import Fate, Scope
from ringfence.soc.store import FINDINGS, RULINGS
from ringfence.testing import everything, receipts
from ringfence.testing.home import TENANT
from ringfence.workloads.retaining import OPENINGS, schedule_of, wanted

DAY = timedelta(days=1)
REQUEST = receipts.request(1)


class Lab:
    """As much of a stage as an answer of the gateway needs."""

    def __init__(self, services, clock):
        self.services, self.clock = services, clock


@pytest.fixture
def answered(services, clock):
    """The files of a gateway that answered once."""
    everything._receipt(Lab(services, clock))
    return SegmentFiles(services.home.path / "gateway")


def sweep(services):
    return {outcome.run.kind: outcome.fates for outcome, _ in services.retention.sweeper.sweep(TENANT)}


def erase(services, home, **asked):
    return services.retention.erasing.erase(home.actor(), Asked(because="asked", **asked))[0]


def test_openings_go_before_records_and_the_closing_stays(services, answered, clock):
    clock.advance(401 * DAY)
    assert sweep(services)["inference-openings"] == {Fate.DESTROYED: 1}
    assert not answered.path(TENANT, 1, "salts").exists()
    assert answered.path(TENANT, 1, "seg").exists()
    clock.advance(700 * DAY)
    assert sweep(services)["inference-records"] == {Fate.DESTROYED: 1}
    assert not answered.path(TENANT, 1, "seg").exists()
    assert answered.envelope(TENANT, 1).statement.predicate == "inference.segment"
    with pytest.raises(NotFound, match="destroyed when their period was over"):
        services.receiving.receipts.find(TENANT, REQUEST)


@pytest.mark.usefixtures("answered")
def test_a_receipt_without_its_opening_still_proves_the_record(services, home):
    before = services.receiving.receipts.find(TENANT, REQUEST).body
    assert erase(services, home, subject=REQUEST).fates == {Fate.DESTROYED: 1}
    after = services.receiving.receipts.find(TENANT, REQUEST).body
    assert before != after
    assert b'"opening":{' in before
    with pytest.raises(NotFound, match="nothing that can be erased"):
        erase(services, home, subject=REQUEST)


def test_the_statement_of_a_segment_erases_all_its_openings(services, home, answered):
    assert erase(services, home, statement=str(answered.envelope(TENANT, 1).digest)).count(Fate.DESTROYED) == 1
    assert not answered.path(TENANT, 1, "salts").exists()


def test_nothing_about_a_segment_can_be_told_apart_for_a_person(services, home, answered, clock):
    """An answer names a key, not a person: while somebody is held, every opening is."""
    services.retention.place(home.actor(), Scope(person=home.people[Role.AUDITOR].id), "a court asked")
    clock.advance(401 * DAY)
    assert "inference-openings" not in sweep(services)
    assert answered.path(TENANT, 1, "salts").exists()


def test_the_rotated_access_records_go_and_the_ones_in_use_stay(services, home):
    folder = home.path / "gateway"
    folder.mkdir(exist_ok=True)
    for name in ("access.log", "access.log.1"):
        (folder / name).write_text("{}\n")
        then = (services.clock.now() - 91 * DAY).timestamp()
        os.utime(folder / name, (then, then))
    assert sweep(services)["accesses"] == {Fate.DESTROYED: 1}
    assert sorted(path.name for path in folder.glob("access.log*")) == ["access.log"]


def test_the_name_of_somebody_who_left_goes_and_the_id_stays(services, home, clock):
    engineer = home.people[Role.ENGINEER]
    services.identity.remove(engineer.id, by=home.actor(), left_at=None, reason="left")
    assert services.identity.people.by_id(TENANT, engineer.id).name == "A engineer"
    clock.advance(1096 * DAY)
    assert sweep(services)["leavers"] == {Fate.DESTROYED: 1}
    assert services.identity.people.by_id(TENANT, engineer.id).name == "erased"
    assert services.identity.people.by_id(TENANT, home.people[Role.AUDITOR].id).name == "A auditor"


def test_an_erasure_takes_the_name_of_whoever_has_left_and_of_nobody_else(services, home):
    engineer = home.people[Role.ENGINEER].id
    erase(services, home, person=engineer)  # the details of the enrolment
    assert services.identity.people.by_id(TENANT, engineer).name == "A engineer"
    services.identity.remove(engineer, by=home.actor(), left_at=None, reason="left")
    erase(services, home, person=engineer)
    assert services.identity.people.by_id(TENANT, engineer).name == "erased"


def incident(name, at, *, finished):
    key = {"tenant": TENANT, "incident": name}
    event = {"position": 1, "kind": "opened", "at": at, "by": "", "body": "{}", "salt": b"", "envelope": ""}
    return insert(INCIDENTS).values(key | {"opened_at": at, "finished": finished}), insert(EVENTS).values(key | event)


def test_the_timeline_of_a_finished_incident_goes_and_an_open_one_stays(services):
    then = to_millis(services.clock.now() - 1827 * DAY)
    with services.database.transaction():
        for name, finished in (("i-00000001", True), ("i-00000002", False)):
            for row in incident(name, then, finished=finished):
                services.database.connection().execute(row)
    assert sweep(services)["timelines"] == {Fate.DESTROYED: 1}
    with services.database.reading() as connection:
        for table in (INCIDENTS, EVENTS):
            assert connection.execute(select(table.c.incident)).scalars().all() == ["i-00000002"]


def test_what_somebody_still_waits_for_is_not_swept(services):
    then = to_millis(services.clock.now() - 401 * DAY)
    finding = {"tenant": TENANT, "rule": "r", "last_seen": then, "authenticated": False, "facts": "{}"}
    ruling = {"tenant": TENANT, "finding": "f", "turn": 1, "target": "", "ruling": "", "reason": "", "seconds": 0}
    ruling |= {"attempts": 0, "isolations": 0, "cap": 0, "line_at": then, "found_at": then, "decided_at": then}
    with services.database.transaction():
        connection = services.database.connection()
        for name, noted in (("f-1", True), ("f-2", False)):
            connection.execute(insert(FINDINGS).values(finding | {"reference": name, "key": name, "noted": noted}))
        for action, state in (("a", "done"), ("b", "waiting-for-a-person"), ("c", "desired"), ("d", "none")):
            connection.execute(insert(RULINGS).values(ruling | {"action": action, "state": state}))
    assert sweep(services)["events"] == {Fate.DESTROYED: 3}
    with services.database.reading() as connection:
        assert connection.execute(select(FINDINGS.c.reference)).scalars().all() == ["f-2"]
        assert sorted(connection.execute(select(RULINGS.c.action)).scalars()) == ["b", "c"]


def test_a_teams_file_is_read_from_the_home(tmp_path):
    assert schedule_of(tmp_path).named("sessions").days == 7
    (tmp_path / "retention.yaml").write_text("days: {sessions: 30}\n")
    assert schedule_of(tmp_path).named("sessions").days == 30
    (tmp_path / "retention.yaml").write_text("days: {events: 91}\n")
    with pytest.raises(Refused, match=r"retention.yaml: events cannot be kept for 91 days: at least 92"):
        schedule_of(tmp_path)


def test_an_erasure_names_one_thing(home):
    assert wanted(Asked(subject="a")).subject == "a"
    assert wanted(Asked(person=home.people[Role.OWNER].id)).names
    assert wanted(Asked(statement="0" * 64)).statement is not None


def test_no_leaver_means_no_name_is_touched(services, clock):
    clock.advance(4000 * DAY)
    sweep(services)
    with services.database.reading() as connection:
        assert "erased" not in connection.execute(select(PEOPLE.c.name)).scalars().all()


def kept_unsigned(files, number):
    """A segment whose closing was cut off: its files are there, and nobody signed it yet."""
    for kind in ("seg", "salts"):
        files.path(TENANT, number, kind).write_bytes(files.path(TENANT, 1, kind).read_bytes())


def test_a_segment_that_is_not_signed_yet_shifts_no_page(services, answered, clock):
    """Pages are told apart by how many items came before: what is no item counts for none of them."""
    kept_unsigned(answered, 2)
    kept_unsigned(answered, 3)
    answered.path(TENANT, 3, "dsse").write_bytes(answered.path(TENANT, 1, "dsse").read_bytes())
    clock.advance(401 * DAY)
    source = services.retention.runner.source("segments")
    pages = [source.older(TENANT, OPENINGS, clock.now(), skip=skip, limit=1) for skip in range(3)]
    assert [[item.key for item in page] for page in pages] == [
        ["inference-openings 1"],
        ["inference-openings 3"],
        [],
    ]


def test_a_segment_that_is_not_signed_yet_is_in_no_erasures_way(services, home, answered):
    kept_unsigned(answered, 2)
    assert erase(services, home, statement=str(answered.envelope(TENANT, 1).digest)).count(Fate.DESTROYED) == 1
    assert answered.path(TENANT, 2, "salts").exists()


def damaged(files, number, *, like=1):
    """A segment whose signed closing is damaged."""
    for kind in ("seg", "salts"):
        files.path(TENANT, number, kind).write_bytes(files.path(TENANT, like, kind).read_bytes())
    files.path(TENANT, number, "dsse").write_bytes(b"damaged")


def test_a_damaged_closing_stops_no_sweep_is_told_and_tried_again(services, answered, clock):
    damaged(answered, 2)
    kept_unsigned(answered, 3)
    answered.path(TENANT, 3, "dsse").write_bytes(answered.path(TENANT, 1, "dsse").read_bytes())
    clock.advance(401 * DAY)
    services.retention.sweeper()
    assert [answered.path(TENANT, n, "salts").exists() for n in (1, 2, 3)] == [False, True, False]
    assert [(one.tenant, one.key) for one in services.troubles.all()] == [(TENANT, "segments inference-openings 2")]
    assert services.collectors["retention.register"](TENANT)
    claims = services.ledger.statements(TENANT, ("retention.register",))[-1].envelope.statement.claims
    assert claims["overdue"] == 1  # nobody knows how old it is
    answered.path(TENANT, 2, "dsse").write_bytes(answered.path(TENANT, 1, "dsse").read_bytes())
    services.retention.sweeper()
    assert not answered.path(TENANT, 2, "salts").exists()
    assert services.troubles.all() == ()


def test_a_closing_that_is_damaged_after_the_run_began_is_not_said_to_be_destroyed(services, answered, clock):
    clock.advance(401 * DAY)
    source = services.retention.runner.source("segments")
    (item,) = source.older(TENANT, OPENINGS, clock.now(), skip=0, limit=1)
    answered.path(TENANT, 1, "dsse").write_bytes(b"damaged")
    with pytest.raises(MalformedInput):
        source.load(TENANT, [item.key])
    answered.path(TENANT, 1, "dsse").unlink()
    with pytest.raises(NotFound):
        source.load(TENANT, [item.key])


def test_a_damaged_closing_is_in_no_erasures_way_and_no_pages(services, home, answered):
    damaged(answered, 2)
    assert erase(services, home, statement=str(answered.envelope(TENANT, 1).digest)).count(Fate.DESTROYED) == 1
    answered.path(TENANT, 1, "dsse").write_bytes(b"damaged")
    assert {kept.kind.name: kept.tally.oldest for kept in services.retention.overview(TENANT)}[
        "inference-records"
    ] is None
