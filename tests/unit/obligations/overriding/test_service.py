from datetime import timedelta

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, Refused
from ringfence.kernel.evidence import Stage
from ringfence.kernel.identifier import PersonId, PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.obligations import catalog
from ringfence.obligations.asides import BINDS, NOT_APPLICABLE
from ringfence.testing.choices import ASIDE, FRANKER, META, SHORTER, override, select, set_aside
from ringfence.testing.clock import FakeClock
from ringfence.testing.home import TENANT, signed


@pytest.fixture
def opened(home):
    """Open the installation with a team's files."""

    def services(*rows, **more):
        override(home.path, *rows, **more)
        return home.services(FakeClock())

    return services


@pytest.fixture
def classified(home):
    """Sign that the tenant is an essential entity."""

    def sign(services):
        claims = {"category": "essential", "jurisdiction": "DE", "binds2690": True, "systems": []}
        subject = Subject("entity/main", Digest.of(b"entity"))
        draft = Draft(PredicateName("entity.classification"), (subject,), claims, Strength.DOCUMENTED)
        envelope, opening = signed(services, home.people[Role.OWNER], draft)
        with services.ledger.publishable():
            services.outbox.admit(envelope, opening, by=home.actor())
        services.ledger.integrate()

    return sign


def test_files_count_from_the_start_on_and_the_version_says_so(opened):
    with opened(SHORTER, FRANKER) as services:
        found = services.overriding
        assert {change.entry.id for change in found.changes().changed} == {"bcm-04.failover", "SEC-11"}
        assert services.status.board(TENANT).rules == found.catalog.digest != catalog.load().digest
        assert (found.refused, found.asides(TENANT)) == ("", [])


def test_a_file_that_is_refused_leaves_our_rules_and_says_so(opened):
    with opened(SHORTER, "- {requirement: log-02.chain, freshness_days: 9, because: never}\n") as services:
        assert services.overriding.catalog == catalog.load()
        assert services.overriding.refused.startswith("overrides/10-team.yaml:4:")
        (fault,) = [one for one in services.cutoff.not_working(TENANT) if one["rule"] == "overrides-refused"]
        assert "overrides/10-team.yaml:4:" in fault["because"]


def test_a_signature_sets_a_control_aside(home, opened):
    with opened(ASIDE) as services:
        before = services.status.board(TENANT)
        done = set_aside(services, home, "SEC-10")
        assert done.stage is Stage.PUBLISHED
        after = services.status.board(TENANT)
        assert (after.set_aside, after.denominator) == (1, before.denominator - 1)
        ((result, aside),) = services.overriding.asides(TENANT)
        assert (result.control.id, aside.counts) == ("SEC-10", True)
        (logged,) = services.ledger.statements(TENANT, (NOT_APPLICABLE,))
        assert "images" not in str(logged.envelope.statement.claims)
        assert logged.issuer.person == PersonId(home.people[Role.SECURITY].id)


def test_it_counts_no_more_once_the_file_says_otherwise(home, opened):
    with opened(ASIDE) as services:
        set_aside(services, home, "SEC-10")
    with opened(ASIDE.replace("built here", "made here")) as services:
        ((result, aside),) = services.overriding.asides(TENANT)
        assert not result.set_aside
        assert "changed after it was signed" in aside.why_not
    with opened(SHORTER) as services:
        assert services.overriding.asides(TENANT) == []
        assert services.status.board(TENANT).set_aside == 0


def test_what_no_file_says_is_not_signed(opened):
    with opened(ASIDE) as services, pytest.raises(NotFound, match="no file of overrides"):
        services.overriding.draft(TENANT, "SEC-11")


def test_what_was_signed_is_what_the_file_says(home, opened):
    with opened(ASIDE) as services:
        draft = services.overriding.draft(TENANT, "SEC-10")
    with opened(ASIDE.replace("built here", "made here")) as services:
        posted = signed(services, home.people[Role.SECURITY], draft)
        with pytest.raises(MalformedInput, match="sign it again"):
            services.overriding.take(home.actor(Role.SECURITY), "SEC-10", *posted)
        assert services.ledger.statements(TENANT, (NOT_APPLICABLE,)) == []


def test_an_end_that_has_come_is_not_signed(home):
    override(home.path, ASIDE)
    clock = FakeClock()
    with home.services(clock) as services:
        clock.advance(timedelta(days=365))
        with pytest.raises(Refused, match="which is over"):
            services.overriding.draft(TENANT, "SEC-10")


def test_what_a_profile_asks_for_cannot_be_set_aside(home, opened):
    with opened(ASIDE.replace("SEC-10", "BCM-04")) as services:
        select(services, home, "health")
        with pytest.raises(Refused, match="in conflict with the signed profile health"):
            services.overriding.draft(TENANT, "BCM-04")


def test_a_duty_that_binds_by_law_cannot_be_set_aside(opened, classified):
    with opened(ASIDE.replace("SEC-10", "GOV-05")) as services:
        classified(services)
        with pytest.raises(Refused, match=BINDS):
            services.overriding.draft(TENANT, "GOV-05")


def test_a_file_with_a_day_to_come_is_refused_whole(opened):
    with opened(SHORTER, meta=META.replace("2026-11-01", "2027-11-01")) as services:
        assert "has not come yet" in services.overriding.refused
        assert services.overriding.catalog == catalog.load()
