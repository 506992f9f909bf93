"""Profiles ask for more, never for less; what no code enforces of them is named."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import KeyRole, Strength
from ringfence.ledger.model import Standing
from ringfence.obligations import board, catalog, profile, reading
from ringfence.obligations.choices import NONE, Period
from ringfence.obligations.difference import difference
from ringfence.obligations.profile import SELECTED, applied, in_force, named
from ringfence.obligations.records import Records
from ringfence.obligations.results import State
from ringfence.obligations.weakening import weakened
from ringfence.testing.obligations import Story

CATALOG = catalog.load()
SHIPPED = reading.read(profile.FILE)
PROFILES = CATALOG.profiles


def chosen(name, story=None, **flags):
    told = story or Story()
    told.add(SELECTED, {"profile": name}, **({"strength": Strength.DOCUMENTED, "subject": f"profile/{name}"} | flags))
    return told


def selected(story, at=None):
    return in_force(CATALOG, Records.of(Tenant("acme"), story.statements), at or story.now)


def computed(story):
    return board.compute(CATALOG, Records.of(story.tenant, story.statements), story.now)


def states(found):
    return {result.control.id: result for result in found.controls}


def test_the_shipped_ones_are_three_and_ask_for_known_controls():
    assert {name: len(one.required) for name, one in PROFILES.items()} == {
        "health": 44,
        "manufacturing": 40,
        "documents": 34,
    }


def test_only_two_numbers_are_called_law_and_both_name_article_and_day():
    law = {(name, kind): kept for name, one in PROFILES.items() for kind, kept in one.retention.items() if kept.since}
    assert law == {
        ("health", "inference-records"): Period(1095, "law", 184, date(2028, 8, 2), "AI Act 19(1) and 26(6)"),
        ("health", "details-documentation"): Period(3653, "law", 3653, date(2028, 8, 2), "AI Act 18"),
    }
    assert {CATALOG.obligations[name].kind for name in ("ai-18", "ai-19.1", "ai-26.6")} == {"duty"}


def test_each_part_is_enforced_or_named_as_not_enforced():
    for one in PROFILES.values():
        for section, value in one.data.items():
            if not isinstance(value, dict):
                continue
            for name in value:
                path = f"{section}.{name}"
                listed = any(part == path or part.startswith(f"{path}.") for part in one.not_enforced)
                assert listed or path in ENFORCED, path


ENFORCED = {
    "availability.drill_days",
    "availability.backup_restore_drill_days",
    "retention.ai_events_days",
    "retention.security_events_days",
    "retention.incident_records_years",
    "retention.technical_documentation_years",
    "incidents.contract_notice_h",
}


@pytest.mark.parametrize("name", PROFILES)
def test_putting_one_over_the_rules_weakens_nothing(name):
    found = difference(CATALOG, applied(CATALOG, PROFILES[name]))
    assert not any(weakened(change) for change in found.changed)
    assert (found.added, found.removed) == ((), ())


def test_a_shorter_period_counts_and_a_longer_one_does_not():
    tighter = replace(CATALOG.requirements["bcm-04.failover"], freshness=timedelta(days=10))
    rules = replace(CATALOG, requirements={**CATALOG.requirements, tighter.id: tighter})
    assert applied(CATALOG, PROFILES["manufacturing"]).requirements[tighter.id].freshness == timedelta(days=30)
    assert applied(rules, PROFILES["manufacturing"]).requirements[tighter.id].freshness == timedelta(days=10)


def test_the_newest_signature_decides_and_an_earlier_time_sees_the_earlier_one():
    story = chosen("health")
    first = story.now
    chosen("documents", story)
    assert (selected(story).profile.id, selected(story).entry) == ("documents", 1)
    assert selected(story, first).profile.id == "health"
    assert selected(chosen("none", story)) is None


@pytest.mark.parametrize(
    "flags", [{"role": KeyRole.CONTROL_PLANE}, {"strength": Strength.DECLARED}, {"standing": Standing.REVOKED}]
)
def test_only_a_persons_sound_signature_puts_one_in_force(flags):
    assert selected(chosen("documents", **flags)) is None
    assert selected(chosen("documents", chosen("health"), **flags)).profile.id == "health"


def test_one_that_this_release_does_not_know_asks_for_nothing():
    assert selected(chosen("farming")) is None


def test_one_that_changed_since_it_was_signed_counts_and_says_so():
    assert selected(chosen("health")).outdated  # of a story's subjects the digest is another one


def test_what_it_asks_for_is_asked_whatever_the_scope_says():
    story = Story()
    before = states(computed(story))
    later = [name for name, result in before.items() if result.verdict.state is State.UPCOMING]
    asked = states(computed(chosen("manufacturing", story)))
    moved = [name for name in later if asked[name].verdict.state is State.NOT_SATISFIED]
    assert moved == sorted(set(later) & PROFILES["manufacturing"].required) == ["AIA-05"]
    assert asked["AIA-05"].required_by == "manufacturing"
    assert {name for name, result in asked.items() if result.required_by} == PROFILES["manufacturing"].required


def test_what_is_kept_from_before_another_profile_is_not_believed():
    story = Story()
    story.add("failover.drill", {}, strength=Strength.DOCUMENTED)
    records = Records.of(story.tenant, story.statements)
    earlier = board.compute(CATALOG, records, story.now)
    chosen("manufacturing", story)
    newer = Records.of(story.tenant, story.statements)
    assert board.compute(CATALOG, newer, story.now, (records, earlier)) == board.compute(CATALOG, newer, story.now)


def test_a_try_is_what_a_signature_would_come_to():
    story = Story()
    records = Records.of(story.tenant, story.statements)
    tried = board.tried(CATALOG, records, story.now, PROFILES["health"])
    real = board.compute(CATALOG, Records.of(story.tenant, chosen("health", story).statements), story.now)
    assert [result.verdict for result in tried.controls] == [result.verdict for result in real.controls]


def test_names():
    assert named(CATALOG, "none") is NONE
    assert named(CATALOG, "health") is PROFILES["health"]
    assert named(CATALOG, "farming") is None


@pytest.mark.parametrize(("count", "unit", "expected"), [(5, "years", 1826), (10, "years", 3653), (7, "days", 7)])
def test_years_count_their_leap_days(count, unit, expected):
    assert profile.days(count, unit) == expected


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("GOV-01, ", "GOV-99, ", "no control is called 'GOV-99'"), ("[bcm-04.failover]", "[bcm-04.x]", "'bcm-04.x'")],
)
def test_a_name_of_nothing_is_refused_with_its_place(old, new, words):
    text = SHIPPED.data.decode().replace(old, new, 1)
    with pytest.raises(MalformedInput, match=rf"profiles.yaml:\d+:\d+: .*{words}"):
        profile.check(reading.parse(text.encode(), source=profile.FILE), CATALOG)


def test_an_hour_and_a_half_is_told_in_minutes():
    assert PROFILES["manufacturing"].notice == {"outage": 30, "model_integrity": 240, "other": 720}
