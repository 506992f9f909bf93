from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel import two_person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Refused
from ringfence.kernel.identifier import PersonId
from ringfence.kernel.two_person import MATURITY, Half, TwoPersonAct
from ringfence.testing.clock import START

ANNA, BERT = PersonId("person-00000000000a"), PersonId("person-00000000000b")
NODE, MS, HOUR = Digest.of(b"node"), timedelta(milliseconds=1), timedelta(hours=1)
ASKED = Half(ANNA, NODE, START, "webauthn-es256", START - MATURITY, "root")
AGREED = Half(BERT, NODE, START + HOUR, "ed25519", START + HOUR - MATURITY, str(BERT))


def check(asked=ASKED, agreed=AGREED, *, established=2):
    act = TwoPersonAct(asked, agreed)
    two_person.check(act, established=established, within=24 * HOUR)
    return act


def test_two_people_with_credentials_of_a_day_make_one_act():
    assert check().claims == {"bootstrap": False, "requestedWith": "webauthn-es256", "approvedWith": "ed25519"}


@pytest.mark.parametrize(
    ("asked", "agreed", "words"),
    [
        ({}, {"person": ANNA}, "another one has to look"),
        ({"credential_by": BERT}, {}, "enrolled the other"),
        ({"person_by": BERT}, {}, "enrolled the other"),
        ({}, {"credential_by": ANNA}, "enrolled the other"),
        ({}, {"person_by": ANNA}, "enrolled the other"),
        ({}, {"subject": Digest.of(b"another")}, "different things"),
        ({}, {"at": START - MS}, "before the first"),
        ({}, {"at": START + 24 * HOUR + MS}, "too long after"),
        ({"known_since": START - MATURITY + MS}, {}, "younger than 24 hours"),
        ({}, {"known_since": START + HOUR - MATURITY + MS}, "younger than 24 hours"),
    ],
)
def test_everything_else_is_refused(asked, agreed, words):
    with pytest.raises(Refused, match=words):
        check(replace(ASKED, **asked), replace(AGREED, **agreed))


@pytest.mark.parametrize("established", [0, 1])
def test_where_nobody_could_do_it_properly_a_young_credential_passes_and_that_is_said(established):
    young = replace(AGREED, known_since=START)
    assert check(agreed=young, established=established).bootstrap
    assert not check(established=established).bootstrap


@pytest.mark.parametrize("half", ["asked", "agreed"])
def test_the_bootstrap_excuses_the_age_alone(half):
    other = {"asked": AGREED, "agreed": ASKED}[half]
    bad = replace({"asked": ASKED, "agreed": AGREED}[half], credential_by=other.person, known_since=START)
    with pytest.raises(Refused, match="enrolled the other"):
        check(**{half: bad}, established=0)


_SECONDS = st.integers(-200_000, 200_000).map(lambda seconds: START + timedelta(seconds=seconds))
_HALVES = st.builds(
    Half,
    st.sampled_from([ANNA, BERT]),
    st.sampled_from([NODE, Digest.of(b"x")]),
    _SECONDS,
    st.just("ed25519"),
    _SECONDS,
    st.sampled_from(["root", ANNA, BERT]),
    st.sampled_from([None, ANNA, BERT]),
)


@given(_HALVES, _HALVES, st.integers(0, 4))
def test_whatever_passes_without_bootstrap_is_two_people_as_the_rules_say(asked, agreed, established):
    try:
        act = check(asked, agreed, established=established)
    except Refused:
        return
    assert asked.person != agreed.person
    assert {asked.person, agreed.person}.isdisjoint(
        ({asked.credential_by, asked.person_by} - {asked.person})
        | ({agreed.credential_by, agreed.person_by} - {agreed.person})
    )
    assert asked.subject == agreed.subject
    assert asked.at <= agreed.at <= asked.at + 24 * HOUR
    old = all(half.at - half.known_since >= MATURITY for half in (asked, agreed))
    assert act.bootstrap is not old
    assert old or established < 2
