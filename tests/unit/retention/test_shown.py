from datetime import UTC, datetime

from ringfence.kernel.identifier import PersonId
from ringfence.retention import shown
from ringfence.retention.deciding import Verdict
from ringfence.retention.model import ClassName, Fate, Hold, HoldId, Item, Scope, Tally
from ringfence.retention.schedule import shipped
from ringfence.retention.service import Kept
from ringfence.testing.home import TENANT

BEFORE, AFTER = datetime(2027, 12, 1, tzinfo=UTC), datetime(2027, 12, 2, tzinfo=UTC)


def test_a_minimum_is_the_projects_until_the_law_applies():
    one = Kept(shipped().named(ClassName("inference-records")), Tally(3, BEFORE), 1, 2)
    (before,), (after,) = shown.kept(one, BEFORE)["minima"], shown.kept(one, AFTER)["minima"]
    assert (before["basis"], after["basis"]) == ("project", "law")
    assert after["days"] == 184
    assert after["verified_on"] == "2026-11-22"
    assert after["since"] == ["Annex III from 2027-12-02", "Annex I from 2028-08-02"]


def test_a_class_says_who_set_its_period():
    one = Kept(shipped().named(ClassName("sessions")), Tally(), 0, 0)
    assert shown.kept(one, BEFORE)["set_by"] == "project default"
    assert shown.kept(one, BEFORE)["oldest"] is None


def test_a_hold_says_what_it_covers():
    hold = Hold(HoldId("hold-0123456789ab"), TENANT, Scope(incident="i-1", family="incident"), PersonId("p"), BEFORE)
    assert shown.hold(hold)["covers"] == "incident i-1, statements of the kind incident"


def test_a_plan_says_what_would_go_and_what_stays():
    item = Item(ClassName("events"), "findings", "k", BEFORE, "finding.raised")
    rows = [(item, Verdict(Fate.WANTED, "it was asked for")), (item, Verdict(Fate.HELD, "hold-1 holds it"))]
    assert [row["fate"] for row in shown.plan(rows)["items"]] == ["erased", "held"]
