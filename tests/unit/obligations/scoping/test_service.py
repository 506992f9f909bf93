"""A person signs what the rules make of a profile, and nothing else; the newest such signature is in force."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.errors import MalformedInput, NotFound, Refused
from ringfence.kernel.evidence import Stage
from ringfence.kernel.statement import Strength
from ringfence.ledger.service import Ledger
from ringfence.obligations.scope import rules
from ringfence.obligations.scope.statement import ENTITY, SYSTEM
from ringfence.obligations.scoping.service import PLACE, classified
from ringfence.testing.home import TENANT, signed

PROFILE = rules.sample()


def sign(services, home, draft, role=Role.OWNER):
    done = services.scopes.take(home.actor(role), PLACE, *signed(services, home.people[role], draft))
    services.ledger.integrate()
    return done


def entity(services, profile=PROFILE):
    return services.scopes.drafted(TENANT, profile)[1][0]


def test_a_scope_is_recorded_and_in_force(services, home):
    assert services.scopes.in_force(TENANT) is None
    done = sign(services, home, entity(services))
    found = services.scopes.in_force(TENANT)
    assert (done.stage, found.logged.entry) == (Stage.PUBLISHED, done.entry)
    assert (found.profile, found.claims["category"], found.same_rules) == (PROFILE, "important", True)
    assert found.document == classified(PROFILE, services.clock.now().date())
    assert found.logged.envelope.statement.issuance.strength is Strength.DOCUMENTED


def test_each_system_is_signed_by_itself(services, home):
    sign(services, home, entity(services))
    one, other = services.scopes.systems(TENANT)
    assert (one.name, one.entry, other.entry) == ("assistant API", None, None)
    done = sign(services, home, services.scopes.system(TENANT, other.id).draft)
    assert [found.entry for found in services.scopes.systems(TENANT)] == [None, done.entry]
    with pytest.raises(NotFound):
        services.scopes.system(TENANT, "000000000000")


def test_a_signature_of_another_class_is_not_the_one_of_the_scope_in_force(services, home):
    sign(services, home, entity(services))
    sign(services, home, services.scopes.systems(TENANT)[1].draft)
    sign(services, home, entity(services, PROFILE.replace("purposes: [employment]", "purposes: [other]")))
    assert [found.entry for found in services.scopes.systems(TENANT)] == [None, None]


WRONG = {
    "category": "out_of_scope",
    "binds2690": False,
    "provision": "NIS2 2(1)",
    "sizeClass": "small",
    "systems": [],
    "personalData": False,
    "rulesDigest": "sha256:" + "0" * 64,
    "profileDigest": "sha256:" + "0" * 64,
    "undetermined": ["everything"],
}


@pytest.mark.parametrize("claim", WRONG)
def test_nobody_signs_what_the_rules_do_not_say(services, home, claim):
    good = entity(services)
    before = len(services.ledger.statements(TENANT))
    with pytest.raises(Refused, match=f"not what the rules make of the profile: {claim}"):
        sign(services, home, replace(good, claims={**good.claims, claim: WRONG[claim]}))
    assert len(services.ledger.statements(TENANT)) == before


def test_another_profile_than_the_one_that_was_decided_is_refused(services, home):
    good = entity(services)
    details = {**good.details, "profile": PROFILE.replace("staff: 60", "staff: 600")}
    with pytest.raises(Refused, match="category"):
        sign(services, home, replace(good, details=details))
    with pytest.raises(Refused, match="together with the profile"):
        sign(services, home, replace(good, details={}))
    with pytest.raises(MalformedInput):
        sign(services, home, replace(good, details={**good.details, "profileSalt": "zz"}))
    with pytest.raises(Refused, match="its subject"):
        sign(services, home, replace(good, subjects=services.scopes.drafted(TENANT, PROFILE)[1][1].subjects))


def test_a_system_that_the_scope_does_not_list_and_a_lesser_class_are_refused(services, home):
    draft = services.scopes.drafted(TENANT, PROFILE)[1][2]
    with pytest.raises(NotFound):
        sign(services, home, draft)
    sign(services, home, entity(services))
    with pytest.raises(Refused, match="class"):
        sign(services, home, replace(draft, claims={**draft.claims, "class": "minimal"}))
    with pytest.raises(Refused, match="documented, not observed"):
        sign(services, home, replace(draft, strength=Strength.OBSERVED))


def test_what_stands_beside_an_envelope_is_what_was_drafted_too(services, home):
    made = entity(services)
    with pytest.raises(Refused, match="beside"):
        sign(services, home, replace(made, details={**made.details, "name": "another"}))
    sign(services, home, made)
    system = services.scopes.systems(TENANT)[0].draft
    for details in ({"name": "another system"}, {}):
        with pytest.raises(Refused, match="beside"):
            sign(services, home, replace(system, details=details))


def test_the_newest_signature_counts_and_the_past_stays(services, home, clock):
    sign(services, home, entity(services))
    then = services.clock.now()
    clock.advance(timedelta(days=1))
    sign(services, home, entity(services, PROFILE.replace("staff: 60", "staff: 600")), Role.MANAGEMENT)
    assert services.scopes.in_force(TENANT).claims["category"] == "essential"
    assert services.scopes.in_force(TENANT, then).claims["category"] == "important"
    assert [one.claims["category"] for one in services.scopes.signatures(TENANT)] == ["essential", "important"]


def test_names_are_in_no_envelope(services, home):
    sign(services, home, entity(services))
    sign(services, home, services.scopes.systems(TENANT)[0].draft)
    for logged in services.ledger.statements(TENANT, (ENTITY, SYSTEM)):
        assert b"Example" not in logged.envelope.data
        assert b"assistant" not in logged.envelope.data


@dataclass(frozen=True)
class Erased:
    """The log after the side records were erased."""

    ledger: Ledger

    def page(self, *given, **named):
        return [replace(logged, opening=None) for logged in self.ledger.page(*given, **named)]


def test_an_erased_profile_leaves_what_was_claimed(services, home):
    sign(services, home, entity(services))
    scopes = replace(services.scopes, log=Erased(services.ledger))
    found = scopes.in_force(TENANT)
    assert (found.profile, found.document, found.claims["category"]) == ("", None, "important")
    assert scopes.systems(TENANT) == []


def test_a_profile_that_is_none_is_refused_with_its_place(services):
    with pytest.raises(MalformedInput, match="the profile:1"):
        services.scopes.drafted(TENANT, "nonsense: 1")
    with pytest.raises(MalformedInput, match="the limit"):
        services.scopes.drafted(TENANT, "#" * 300_000)
