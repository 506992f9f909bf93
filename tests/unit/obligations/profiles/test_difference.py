from dataclasses import replace

import pytest

from ringfence.obligations import board, catalog, overrides
from ringfence.obligations.asides import NOT_APPLICABLE, subject_of
from ringfence.obligations.choices import NONE
from ringfence.obligations.profiles.difference import Side, difference, digest_of, enforced, part
from ringfence.obligations.records import Records
from ringfence.testing.obligations import Story

CATALOG = catalog.load()
HEALTH, MANUFACTURING = (CATALOG.profiles[name] for name in ("health", "manufacturing"))


def side(profile, kept=None, *, rules=CATALOG, story=None):
    told = story or Story()
    records = Records.of(told.tenant, told.statements)
    return Side(profile, board.tried(rules, records, told.now, profile), kept or {"events": 400})


def test_it_says_everything_that_changes():
    found = difference(side(NONE), side(MANUFACTURING, {"events": 400, "inference-records": 400}))
    assert (found["from"], found["to"]) == ("none", "manufacturing")
    assert {one["control"] for one in found["asked"]} == MANUFACTURING.required
    assert {one["state"] for one in found["asked"]} == {"not-satisfied"}
    assert found["states"] == [
        {
            "control": "AIA-05",
            "title": next(one.title for one in CATALOG.controls if one.id == "AIA-05"),
            "before": "upcoming",
            "state": "not-satisfied",
            "reason": "missing",
        }
    ]
    assert found["periods"] == [{"rule": "bcm-04.failover", "control": "BCM-04", "before": 92, "after": 30}]
    assert [one["class"] for one in found["retention"]] == ["inference-records"]
    assert {one["kind"]: one["after"] for one in found["notice"]} == MANUFACTURING.notice
    assert {one["part"] for one in found["not_enforced"]} == set(MANUFACTURING.not_enforced)
    assert "placement.countries" in {one["part"] for one in found["not_enforced"]}


def test_the_way_back_says_what_is_asked_no_more():
    found = difference(side(MANUFACTURING), side(NONE))
    assert found["no_longer_asked"] == sorted(MANUFACTURING.required)
    assert (found["asked"], found["not_enforced"]) == ([], [])
    assert {one["after"] for one in found["notice"]} == {None}


def test_between_two_only_what_differs_is_asked():
    found = difference(side(HEALTH), side(MANUFACTURING))
    assert {one["control"] for one in found["asked"]} == MANUFACTURING.required - HEALTH.required
    assert set(found["no_longer_asked"]) == HEALTH.required - MANUFACTURING.required


def test_what_a_file_sets_aside_and_the_profile_asks_for_is_a_conflict():
    row = {"reason": "nobody asks for it", "owner": "lead", "expires": "2027-05-01"}
    value = {
        "meta": {"version": 1, "owner": "lead", "reviewed_on": "2026-11-01"},
        "overrides": [{"control": "BCM-04", "because": "a contract", "not_applicable": row}],
    }
    rules = overrides.apply(CATALOG, overrides.of_values([{"name": "a", "value": value}]))
    story, file = Story(), rules.overrides.set_aside["BCM-04"].file
    claims = {"control": "BCM-04", "expires": "2027-05-01", "overrideDigest": str(file)}
    story.add(NOT_APPLICABLE, claims, subject=subject_of("BCM-04"))
    found = difference(side(NONE, rules=rules, story=story), side(HEALTH, rules=rules, story=story))
    assert found["conflicts"] == ["BCM-04"]
    assert ("BCM-04", "not-applicable") in {(one["control"], one["before"]) for one in found["states"]}


def test_the_digest_is_of_the_whole_document():
    found = difference(side(NONE), side(HEALTH))
    assert digest_of(found) == digest_of(dict(reversed(found.items())))
    for name in found:
        assert digest_of({**found, name: "otherwise"}) != digest_of(found)


def test_what_is_enforced_is_told_in_words_and_law_as_law():
    told = dict(enforced(HEALTH))
    assert told["controls asked"] == "44"
    assert told["inference-records kept"] == (
        "1095 d; where AI Act 19(1) and 26(6) binds, at least 184 d by law from 2028-08-02"
    )
    assert told["events kept"] == "400 d"
    assert list(enforced(NONE)) == []


@pytest.mark.parametrize(
    ("path", "value"), [("placement.countries", "eea"), ("placement.nothing", None), ("x.y.z", None)]
)
def test_a_part_is_found_by_its_name(path, value):
    assert part(HEALTH, path) == value


def test_a_class_that_stays_as_it_is_is_not_told():
    same = side(HEALTH, {"events": 400})
    assert difference(same, replace(same, profile=MANUFACTURING))["retention"] == []
