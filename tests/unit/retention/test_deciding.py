from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.kernel.identifier import PersonId
from ringfence.retention.deciding import covers, judge, kept_until
from ringfence.retention.model import Act, ClassName, Fate, Hold, HoldId, Item, Scope
from ringfence.retention.schedule import shipped
from ringfence.testing.home import TENANT

AT = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WHO = PersonId("person-0123456789ab")
SCHEDULE = shipped()


def item(kind="details-other", **changes):
    given = {"since": AT - 2000 * DAY, "predicate": "dataset.opened", "names": frozenset({"ada"})} | changes
    return Item(ClassName(kind), "memory", "k", **given)


def hold(**scope):
    return Hold(HoldId("hold-0123456789ab"), TENANT, Scope(**scope), WHO, AT)


@pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in SCHEDULE.classes])
def test_one_day_before_and_after_each_limit(one):
    early, late = item(one.name, since=AT - (one.days - 1) * DAY), item(one.name, since=AT - (one.days + 1) * DAY)
    assert [judge(one, SCHEDULE, [], Act.SWEEP, AT).fate for one in (early, late)] == [Fate.KEPT, Fate.WANTED]
    assert kept_until(late, one) == AT - DAY


def test_the_floor_stands_whatever_is_configured():
    one = SCHEDULE.named(ClassName("inference-records"))
    kept = item("inference-records", since=AT - 183 * DAY)
    lowered = replace(SCHEDULE, classes=(replace(one, days=1),))
    assert judge(kept, lowered, [], Act.SWEEP, AT).fate is Fate.KEPT


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        ({"person": "ada"}, True),
        ({"person": "bob"}, False),
        ({"incident": "ada"}, True),
        ({"incident": "i-00000000"}, False),
        ({"family": "dataset"}, True),
        ({"family": "dataset.opened"}, True),
        ({"family": "data"}, False),
        ({"family": "dataset.open"}, False),
        ({"start": AT - 2001 * DAY}, True),
        ({"start": AT - 1999 * DAY}, False),
        ({"end": AT - 1999 * DAY}, True),
        ({"end": AT - 2001 * DAY}, False),
        ({"person": "ada", "family": "dataset"}, True),
        ({"person": "ada", "family": "incident"}, False),
    ],
)
def test_a_hold_covers_what_it_names(scope, held):
    assert covers(hold(**scope), item()) is held
    for act in Act:
        assert (judge(item(), SCHEDULE, [hold(**scope)], act, AT).fate is Fate.HELD) is held


def test_what_cannot_say_whom_it_names_is_held_for_everybody():
    assert covers(hold(person="ada"), item(names=frozenset()))


def test_a_person_is_held_under_the_names_of_their_keys_too():
    assert covers(replace(hold(person="bob"), names=frozenset({"ada"})), item())


def test_a_released_hold_holds_nothing():
    assert not covers(replace(hold(person="ada"), released_at=AT), item())


def test_an_erasure_does_not_wait_for_the_period_of_a_project():
    assert judge(item(since=AT), SCHEDULE, [], Act.ERASE, AT).fate is Fate.WANTED
    assert judge(item("details-response", since=AT), SCHEDULE, [], Act.ERASE, AT).fate is Fate.WANTED


def test_an_erasure_waits_for_a_minimum_of_law_once_that_applies():
    before, after = datetime(2027, 12, 1, tzinfo=UTC), datetime(2027, 12, 2, tzinfo=UTC)
    kept = item("details-documentation", since=before - DAY)
    assert judge(kept, SCHEDULE, [], Act.ERASE, before).fate is Fate.WANTED
    verdict = judge(kept, SCHEDULE, [], Act.ERASE, after)
    assert verdict.fate is Fate.KEPT
    assert "AI Act 18" in verdict.because
    assert judge(kept, SCHEDULE, [], Act.ERASE, kept.since + 3653 * DAY).fate is Fate.WANTED
