from datetime import timedelta

import pytest

from ringfence.gateway import segment
from ringfence.gateway.intake import LOOK_EVERY, PATIENCE, Intake
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import NotFound, Unavailable, VerificationFailed
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Strength
from ringfence.testing import receipts
from ringfence.testing.clock import FakeClock
from ringfence.testing.ledger import LabLog

TENANT = receipts.TENANT


class Disk:
    """`Segments` in memory."""

    def __init__(self):
        self.closed: dict[tuple[Tenant, int], Envelope] = {}
        self.proofs: dict[tuple[Tenant, int], bytes] = {}

    def tenants(self):
        return sorted({tenant for tenant, _ in self.closed})

    def is_closed(self, tenant, number):
        return (tenant, number) in self.closed

    def last(self, tenant):
        return max((number for owner, number in self.closed if owner == tenant), default=0)

    def envelope(self, tenant, number):
        return self.closed[tenant, number]

    def last_proof(self, tenant):
        return max((number for owner, number in self.proofs if owner == tenant), default=0)

    def write_proof(self, tenant, number, data):
        self.proofs[tenant, number] = data


class Book:
    """A log that takes anything, or refuses, or is not there."""

    def __init__(self):
        self.taken: list[Digest] = []
        self.unpublished: set[Digest] = set()
        self.first: dict[str, Digest] = {}

    def admit(self, envelope):
        first = self.first.setdefault(envelope.statement.issuance.idempotency_key, envelope.digest)
        if first == envelope.digest and first not in self.taken:
            self.taken.append(first)
        return Acknowledgement(first, 1, Stage.SEQUENCED)

    def prove(self, _, digest):
        if digest in self.unpublished:
            raise Unavailable("the log did not publish in time")
        return str(digest).encode()


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def intake(disk, book, clock):
    return Intake(disk, book.admit, book.prove, clock)


def signed(number, *, tenant=TENANT, **claims):
    _, closing = receipts.closing_of([receipts.record(number)], number=number, before=number - 1)
    envelope, _ = LabLog(tenant=tenant).sign(
        segment.SEGMENT,
        closing.claims() | claims,
        by="gateway",
        subjects=(segment.subject(closing),),
        strength=Strength.OBSERVED,
        idempotency_key=segment.idempotency_key(number),
    )
    return envelope


def test_segments_are_taken_in_their_order_and_their_places_written_down(intake, disk, book):
    for number in (3, 1, 2):
        disk.closed[TENANT, number] = signed(number)
    intake()
    assert book.taken == [signed(number).digest for number in (1, 2, 3)]
    assert sorted(number for _, number in disk.proofs) == [1, 2, 3]
    assert intake.progress[TENANT].to_json() == {"admitted": 3, "proven": 3, "refused": ""}


def test_a_missing_segment_stops_what_comes_behind_it(intake, disk, book):
    disk.closed[TENANT, 1], disk.closed[TENANT, 3] = signed(1), signed(3)
    with pytest.raises(VerificationFailed, match="segment 2 of acme is missing, and segment 3 is there"):
        intake()
    assert len(book.taken) == 1
    assert intake.progress[TENANT].stuck_since(intake.clock.now())
    disk.closed[TENANT, 2] = signed(2)
    intake()
    assert len(book.taken) == 3
    assert intake.progress[TENANT].stuck_since(intake.clock.now()) is None


def test_a_gap_that_comes_later_is_found_within_seconds(intake, disk, clock):
    disk.closed[TENANT, 1] = signed(1)
    intake()
    intake()
    disk.closed[TENANT, 3] = signed(3)
    clock.advance(LOOK_EVERY)
    with pytest.raises(VerificationFailed, match="a gap"):
        intake()


def test_who_is_refused_is_stuck_at_once_and_who_waits_for_the_log_only_in_the_end(intake, disk, book, clock):
    disk.closed[TENANT, 1] = signed(1)
    book.unpublished.add(signed(1).digest)
    with pytest.raises(VerificationFailed):
        intake()
    progress, since = intake.progress[TENANT], clock.now()
    assert progress.stuck_since(since) is None
    assert progress.stuck_since(since - timedelta(hours=1)) == since  # a clock that was set back hides nothing
    clock.advance(PATIENCE)
    intake()
    assert progress.stuck_since(clock.now()) == since
    disk.closed[TENANT, 2] = signed(2, finished=5, admitted=5)
    book.unpublished.clear()
    intake.progress.clear()
    with pytest.raises(VerificationFailed):
        intake()
    assert intake.progress[TENANT].stuck_since(clock.now()) == clock.now()


def test_after_a_restart_it_goes_on_where_it_was(disk, book, clock):
    disk.closed[TENANT, 1] = signed(1)
    Intake(disk, book.admit, book.prove, clock)()
    disk.closed[TENANT, 2] = signed(2)
    again = Intake(disk, book.admit, book.prove, clock)
    again()
    assert book.taken == [signed(1).digest, signed(2).digest]


def test_what_was_taken_and_not_written_down_before_a_crash_is_not_taken_twice(disk, book, clock):
    disk.closed[TENANT, 1] = signed(1)
    book.unpublished.add(signed(1).digest)
    with pytest.raises(VerificationFailed, match="did not publish"):
        Intake(disk, book.admit, book.prove, clock)()
    assert not disk.proofs
    book.unpublished.clear()
    Intake(disk, book.admit, book.prove, clock)()
    assert book.taken == [signed(1).digest]
    assert disk.last_proof(TENANT) == 1


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("reordered", "number 2, not 3"),
        ("counts", "count on"),
        ("tenant", "another tenant"),
        ("other statement", "closed by a statement"),
    ],
)
def test_a_segment_that_does_not_fit_is_refused_and_shown(intake, disk, book, what, says):
    disk.closed[TENANT, 1] = signed(1)
    disk.closed[TENANT, 2] = {
        "reordered": lambda: signed(3),
        "counts": lambda: signed(2, finished=5, admitted=5),
        "tenant": lambda: signed(2, tenant=Tenant("other")),
        "other statement": lambda: LabLog().sign("dataset.sealed", {}, by="gateway")[0],
    }[what]()
    with pytest.raises(VerificationFailed, match=says):
        intake()
    assert says in intake.progress[TENANT].refused
    assert book.taken == [signed(1).digest]
    assert disk.last_proof(TENANT) == 1
    intake()  # no news: it is shown, and not said again each second
    assert says in intake.progress[TENANT].refused
    disk.closed[TENANT, 2] = signed(2)
    intake()
    assert intake.progress[TENANT].refused == ""


def test_a_second_closing_of_a_number_is_refused_and_shown(disk, book, clock):
    book.first[segment.idempotency_key(1)] = Digest.of(b"what the log took first")
    disk.closed[TENANT, 1] = signed(1)
    intake = Intake(disk, book.admit, book.prove, clock)
    with pytest.raises(VerificationFailed, match="two were signed"):
        intake()
    assert not disk.proofs
    assert "two were signed" in intake.progress[TENANT].refused


def test_one_tenants_trouble_is_not_anothers(intake, disk, book):
    other = Tenant("zoo")
    disk.closed[TENANT, 1] = signed(1, finished=5, admitted=5)
    disk.closed[other, 1] = signed(1, tenant=other)
    with pytest.raises(VerificationFailed, match="acme"):
        intake()
    assert book.taken == [signed(1, tenant=other).digest]


def test_a_closing_that_cannot_be_read_at_the_start_is_shown_and_said_once(disk, book, clock):
    disk.closed[TENANT, 1] = LabLog().sign("dataset.sealed", {}, by="gateway")[0]
    disk.proofs[TENANT, 1] = b"{}"
    intake = Intake(disk, book.admit, book.prove, clock)
    with pytest.raises(VerificationFailed, match="closed by a statement"):
        intake()
    intake()
    assert "closed by a statement" in intake.progress[TENANT].refused
    disk.closed[TENANT, 1], disk.closed[TENANT, 2] = signed(1), signed(2)
    intake()
    assert intake.progress[TENANT].to_json() == {"admitted": 2, "proven": 2, "refused": ""}


def test_a_file_that_cannot_be_read_is_shown(intake, disk):
    class Gone(Disk):
        def envelope(self, *_):
            raise NotFound("cannot read it")

    disk.closed[TENANT, 1] = signed(1)
    gone = Gone()
    gone.closed = disk.closed
    broken = Intake(gone, intake.admit, intake.prove, intake.clock)
    with pytest.raises(VerificationFailed, match="cannot read it"):
        broken()
    assert broken.progress[TENANT].refused == "cannot read it"
