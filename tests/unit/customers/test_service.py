import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import pytest

from ringfence.customers.model import CustomerId, Occasion, ThingKind
from ringfence.customers.questions import MAX_POINTED, Pointer, Question
from ringfence.customers.service import Customers
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Unavailable
from ringfence.reports.service import Packs, draft_of
from ringfence.testing.customers import HOSPITAL, packed, sealed
from ringfence.testing.home import TENANT, signed

BARE = replace(HOSPITAL, things={}, clauses=())


@pytest.fixture
def customers(services):
    return services.customers


@pytest.fixture
def actor(home):
    return home.actor()


def test_a_customer_is_entered_changed_and_removed(customers, actor):
    name, done = customers.add(actor, BARE)
    assert done.entry is not None
    assert customers.one(TENANT, name).name == BARE.name
    customers.change(actor, name, replace(BARE, hours={Occasion.INCIDENT: 1}))
    assert customers.one(TENANT, name).hours == {Occasion.INCIDENT: 1}
    customers.remove(actor, name, "over")
    with pytest.raises(NotFound):
        customers.one(TENANT, name)
    with pytest.raises(NotFound):
        customers.remove(actor, name, "again")


def test_two_are_not_called_the_same_and_of_several_none_is_entered_then(customers, actor):
    customers.add(actor, BARE)
    with pytest.raises(Conflict):
        customers.add_all(actor, [replace(BARE, name="Other"), replace(BARE, name=BARE.name.upper())])
    assert [one.name for one in customers.register(TENANT).current] == [BARE.name]
    other, _ = customers.add(actor, replace(BARE, name="Other"))
    with pytest.raises(Conflict):
        customers.change(actor, other, BARE)


class Away:
    """A publication that does not come about in time: what was recorded has no index yet."""

    def published(self, envelope):
        raise Unavailable(f"{envelope} is sequenced and will be published later")


def test_a_name_is_taken_as_soon_as_it_is_recorded(customers, actor):
    with pytest.raises(Unavailable, match="sequenced"):
        replace(customers, publication=Away()).add(actor, BARE)
    with pytest.raises(Conflict):
        customers.add(actor, replace(BARE, name=BARE.name.lower()))
    assert [one.name for one in customers.register(TENANT).current] == [BARE.name]


def test_of_two_who_enter_one_name_at_once_one_does(customers, actor):
    gate = threading.Barrier(2)

    def enter(_):
        gate.wait(10)
        with suppress(Conflict):
            return customers.add(actor, BARE)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(enter, range(2)))
    assert done.count(None) == 1
    assert len(customers.register(TENANT).current) == 1


NOTICED = replace(BARE, hours={Occasion.SUBPROCESSOR: 720})
DAY = timedelta(days=1)


def test_a_subprocessor_may_begin_when_the_hours_of_each_contract_are_over(customers, actor, clock):
    name, _ = customers.add(actor, NOTICED)
    customers.add(actor, replace(BARE, name="Without hours"))
    now = clock.now()
    ((one, told, done),) = customers.announce(actor, "Sample Cloud", at=now - DAY)
    assert (one.id, told.called, told.earliest, told.entry) == (name, "Sample Cloud", now + 29 * DAY, done.entry)
    assert [(each.id, other.earliest) for each, other in customers.beginnings(TENANT)] == [(name, told.earliest)]
    clock.advance(29 * DAY)
    assert customers.beginnings(TENANT) == []
    assert customers.one(TENANT, name).announced == (told,)


def test_hours_that_change_later_shorten_no_wait(customers, actor, clock):
    name, _ = customers.add(actor, NOTICED)
    clock.advance(DAY)
    told_at = clock.now()
    customers.announce(actor, "Sample Cloud")
    clock.advance(DAY)
    customers.change(actor, name, replace(BARE, hours={Occasion.SUBPROCESSOR: 1}))
    customers.announce(actor, "Another Cloud", at=told_at)  # what is dated back has the hours of its day
    assert [told.earliest for told in customers.one(TENANT, name).announced] == [told_at + 30 * DAY] * 2


def test_whom_nobody_told_waits_for_nothing_and_who_has_no_hours_has_no_moment(customers, actor, clock):
    name, _ = customers.add(actor, BARE)
    with pytest.raises(Conflict, match="say whom you told"):
        customers.announce(actor, "Sample Cloud")
    ((_, told, _),) = customers.announce(actor, "Sample Cloud", [name, name])
    assert (told.earliest, customers.beginnings(TENANT)) == (None, [])
    with pytest.raises(MalformedInput, match="future"):
        customers.announce(actor, "Sample Cloud", [name], clock.now() + DAY)
    for wrong in (" ", "x" * 200, "a\nb"):
        with pytest.raises(MalformedInput):
            customers.announce(actor, wrong, [name])
    with pytest.raises(NotFound):
        customers.announce(actor, "Sample Cloud", [CustomerId("customer-ffffffffffff")])


@dataclass
class Meanwhile:
    """Publish, and let somebody else do something before."""

    customers: Customers
    then: list[Callable[[], object]]

    def published(self, envelope):
        if self.then:
            self.then.pop()()
        return self.customers.publication.published(envelope)


def test_what_others_do_meanwhile_is_not_what_was_announced(customers, actor):
    name, _ = customers.add(actor, NOTICED)
    other = [partial(customers.announce, actor, "Another Cloud")]
    ((_, told, _),) = replace(customers, publication=Meanwhile(customers, other)).announce(actor, "Sample Cloud")
    assert told.called == "Sample Cloud"
    gone = [partial(customers.remove, actor, name, "the contract ended")]
    ((_, told, _),) = replace(customers, publication=Meanwhile(customers, gone)).announce(actor, "Third Cloud")
    assert told.called == "Third Cloud"


def test_an_announcement_changes_no_status_of_ours(customers, services, actor):
    customers.add(actor, NOTICED)
    before = services.status.board(TENANT)
    customers.announce(actor, "Sample Cloud")
    after = services.status.board(TENANT)
    assert [one.verdict.state for one in after.controls] == [one.verdict.state for one in before.controls]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"clauses": ("nis2-21",)}, NotFound),
        ({"things": {ThingKind.DATASET: ("nothing",)}}, NotFound),
        ({"name": " "}, MalformedInput),
    ],
)
def test_what_is_not_known_is_not_entered(customers, actor, changes, error):
    with pytest.raises(error):
        customers.add(actor, replace(BARE, **changes))
    assert not customers.register(TENANT).current


def test_things_are_named_as_people_do_and_kept_as_statements_do(customers, services, home, actor):
    ident = sealed(home, services, "scans")
    name, _ = customers.add(actor, replace(BARE, things={ThingKind.DATASET: ("scans",)}))
    assert customers.one(TENANT, name).things == (f"dataset/{ident}",)
    kept = customers.change(actor, name, replace(BARE, things={ThingKind.DATASET: (ident,)}))
    assert kept.entry is not None


def test_a_reason_is_asked_for(customers, actor):
    name, _ = customers.add(actor, BARE)
    with pytest.raises(MalformedInput):
        customers.remove(actor, name, " ")


def test_questions_are_answered_and_that_is_recorded_in_numbers(customers, actor):
    name, _ = customers.add(actor, BARE)
    asked = [Question("1", "?", Pointer(("SEC-01",))), Question("2", "secret words", Pointer())]
    answers, _ = customers.answer(actor, name, asked, "theirs.csv")
    assert [one["no_evidence"] for one in answers] == [True, True]
    (told,) = customers.register(TENANT).answers
    assert (told.questions, told.unmatched, told.without) == (2, 1, 2)
    logged = customers.log.named(TENANT, [told.entry])[0]
    assert b"secret" not in logged.envelope.data
    assert b"theirs" not in logged.envelope.data


def test_a_questionnaire_that_points_at_very_many_things_is_refused_before_it_is_matched(customers, actor):
    name, _ = customers.add(actor, BARE)
    many = Question("1", "?", Pointer(keywords=tuple(f"w{at}" for at in range(MAX_POINTED))))
    with pytest.raises(MalformedInput):
        customers.answer(actor, name, [many, Question("2", "?", Pointer(("LOG-02",)))], "")
    assert not customers.register(TENANT).answers


def test_of_nobody_there_is_no_pack_and_no_answer(customers, actor):
    nobody = CustomerId("customer-ffffffffffff")
    with pytest.raises(NotFound):
        customers.draft(TENANT, nobody)
    with pytest.raises(NotFound):
        customers.answer(actor, nobody, [], "")
    with pytest.raises(NotFound):
        customers.again(TENANT, 0)


def test_a_pack_is_found_by_its_number_and_by_no_other(customers, services, home, actor):
    name, _ = customers.add(actor, BARE)
    made, data = packed(home, services, name)
    assert customers.made(TENANT, made.entry) == made
    assert customers.again(TENANT, made.entry)[1].splitlines()[1:3] == data.splitlines()[1:3]
    with pytest.raises(NotFound):
        customers.again(TENANT, made.entry - 1)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Makes packs, and lets somebody else make one for the same customer before the first is answered."""

    packs: Packs
    between: Callable[[], object]

    def draft_for(self, tenant, sharing):
        return self.packs.draft_for(tenant, sharing)

    def issue(self, *told, **more):
        data = self.packs.issue(*told, **more)
        self.between()
        return data


def test_of_two_packs_at_the_same_time_each_maker_is_told_of_their_own(customers, services, home, actor):
    name, _ = customers.add(actor, BARE)
    others = []
    crossed = replace(
        customers, packs=Crossing(customers.packs, lambda: others.append(packed(home, services, name)[0]))
    )
    _, draft = crossed.draft(TENANT, name)
    envelope, opening = signed(services, home.people[Role.OWNER], draft)
    made, _ = crossed.pack(actor, name, envelope, opening)
    assert made.report == str(envelope.digest)
    assert made.entry != others[0].entry


def test_a_report_over_everything_makes_no_pack_for_a_customer(customers, services, home, actor):
    name, _ = customers.add(actor, BARE)
    whole = draft_of(services.packs.preview(TENANT).to_json())
    with pytest.raises(Conflict):
        customers.pack(actor, name, *signed(services, home.people[Role.OWNER], whole))
    assert not customers.handed(TENANT, name)
