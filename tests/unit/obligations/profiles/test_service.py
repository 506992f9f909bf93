"""A profile is put in force by a signature over the very difference that was shown."""

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound
from ringfence.kernel.evidence import Stage
from ringfence.obligations.profile import SELECTED
from ringfence.obligations.profiles.difference import digest_of
from ringfence.retention.model import ClassName
from ringfence.testing.choices import select
from ringfence.testing.home import TENANT, signed


@pytest.fixture
def profiles(services):
    return services.profiles


def take(services, home, choice, name="health", role=Role.MANAGEMENT):
    envelope, _ = signed(services, home.people[role], choice.draft)
    return services.profiles.take(home.actor(role), name, envelope)


def test_switching_shows_the_difference_before_it_is_signed(services, home, profiles):
    choice = profiles.choice(TENANT, "health")
    assert choice.draft.claims["difference"] == str(digest_of(choice.difference))
    assert services.ledger.statements(TENANT, (SELECTED,)) == []
    assert take(services, home, choice).stage is Stage.PUBLISHED
    found = profiles.in_force(TENANT)
    assert (found.profile.id, found.outdated) == ("health", False)
    (logged,) = services.ledger.statements(TENANT, (SELECTED,))
    assert logged.envelope.statement.claims["difference"] == str(digest_of(choice.difference))


def test_a_difference_that_is_stale_is_refused_and_nothing_is_in_force(services, home, profiles):
    stale = profiles.choice(TENANT, "health")
    select(services, home, "documents")
    with pytest.raises(Conflict, match="not what you were shown any more"):
        take(services, home, stale)
    assert profiles.in_force(TENANT).profile.id == "documents"


def test_so_is_one_that_evidence_has_overtaken(services, home, profiles):
    stale = profiles.choice(TENANT, "health")
    services.collectors["key.lifecycle"](TENANT)
    assert profiles.choice(TENANT, "health").difference != stale.difference
    with pytest.raises(Conflict, match="not what you were shown any more"):
        take(services, home, stale)
    assert services.ledger.statements(TENANT, (SELECTED,)) == []


def test_what_is_in_force_is_not_chosen_again(services, home, profiles):
    select(services, home, "health")
    with pytest.raises(Conflict, match="in force already"):
        profiles.choice(TENANT, "health")
    assert profiles.choice(TENANT, "none").difference["to"] == "none"


def test_none_is_in_force_at_first(profiles):
    assert profiles.in_force(TENANT) is None
    with pytest.raises(Conflict, match="none is in force already"):
        profiles.choice(TENANT, "none")


def test_an_envelope_for_another_profile_is_refused(services, home, profiles):
    choice = profiles.choice(TENANT, "health")
    with pytest.raises(MalformedInput, match="the profile documents"):
        take(services, home, choice, name="documents")


def test_there_is_no_other(profiles):
    with pytest.raises(NotFound, match="health, manufacturing, documents, none"):
        profiles.one("farming")
    assert [one.id for one in profiles.every()] == ["health", "manufacturing", "documents"]


def test_retention_follows_it_and_never_below_a_minimum(services, home):
    kept = ClassName("inference-records")
    assert services.retention.schedule(TENANT).named(kept).days == 1095
    select(services, home, "manufacturing")
    found = services.retention.schedule(TENANT).named(kept)
    assert (found.days, found.profile, found.floor) == (400, True, 184)
    assert services.profile.retention(TENANT)["inference-records"] == 400
    (services.home.path / "retention.yaml").write_text("days: {inference-records: 500}\n", encoding="utf-8")
    assert services.retention.schedule(TENANT).named(kept).days == 500  # the team's own goes before
    assert services.retention.schedule(None).named(kept).days == 500


def test_a_team_s_own_period_stands_in_the_difference(services, profiles):
    (services.home.path / "retention.yaml").write_text("days: {inference-records: 500}\n", encoding="utf-8")
    assert profiles.choice(TENANT, "manufacturing").difference["retention"] == []


def test_hours_of_notice_are_told_to_whoever_runs_clocks(services, home):
    assert services.profile.history(TENANT) == ()
    select(services, home, "manufacturing")
    (first,) = services.profile.history(TENANT)
    assert first.profile.notice == {"outage": 30, "model_integrity": 240, "other": 720}
    select(services, home, "none")
    assert services.profile.selected(TENANT) is None
    assert [dict(one.profile.notice) for one in services.profile.history(TENANT)] == [first.profile.notice, {}]
