from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.identity.acting.model import LIFE, MAX_WAITING, SETTLING
from ringfence.identity.signin.service import owner_of
from ringfence.incidents import acts
from ringfence.incidents.model import IncidentId
from ringfence.kernel.actor import Assurance, Caller, Level, Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import (
    Conflict,
    MalformedInput,
    NotFound,
    Refused,
    RingfenceError,
    StepUpRequired,
    TooManyAttempts,
    Unauthenticated,
    VerificationFailed,
)
from ringfence.ledger.model import Standing
from ringfence.testing.authenticator import PRESENT, VERIFIED, Authenticator
from ringfence.testing.clock import START
from ringfence.testing.home import TENANT, draft
from ringfence.testing.signin import BROWSER, SITE, answer_of, enrol


def declared(services, name="i-00000001"):
    return acts.declared(IncidentId(name), services.clock.now(), "", "seen something odd")


@pytest.fixture
def prepared(desk, anna, services):
    return desk.prepare(anna, declared(services), "")


def stated(services, predicate):
    services.ledger.integrate()
    return services.ledger.statements(TENANT, (predicate,))


def test_an_act_is_signed_by_the_passkey_and_done(services, prepared, signing, do, desk, anna):
    answer = do(prepared, signing)
    (logged,) = stated(services, acts.OPENED)
    assert answer["statement"]["envelope"] == str(logged.envelope.digest)
    assert (logged.standing, logged.issuer.algorithm, logged.issuer.person) == (
        Standing.TRUSTED, "webauthn-es256", anna.id,
    )  # fmt: skip
    assert logged.opening.details == {"reason": "seen something odd"}
    assert logged.envelope.statement.issuance.sequence == 1
    assert services.cutoff.incidents.room(TENANT, IncidentId("i-00000001")).incident.id == "i-00000001"
    assert desk.one(anna, prepared.id).outcome is not None


def test_what_waits_is_the_persons_own_unsigned_and_not_ended(services, prepared, signing, do, desk, anna, clock, home):
    assert [act.id for act in desk.unsigned(anna)] == [prepared.id]
    assert desk.unsigned(home.actor(Role.ENGINEER)) == []
    do(prepared, signing)
    assert desk.unsigned(anna) == []
    late = desk.prepare(anna, declared(services, "i-00000009"), "")
    clock.advance(LIFE - timedelta(seconds=1))
    assert [act.id for act in desk.unsigned(anna)] == [late.id]
    clock.advance(timedelta(seconds=1))
    assert desk.unsigned(anna) == []


def test_the_sequence_is_the_passkeys_own_and_without_a_gap(services, signing, do, desk, anna):
    for number in (1, 2):
        do(desk.prepare(anna, declared(services, f"i-0000000{number}"), ""), signing)
    assert [logged.envelope.statement.issuance.sequence for logged in stated(services, acts.OPENED)] == [1, 2]


def test_only_acts_are_signed_in_the_browser(desk, anna):
    with pytest.raises(Refused, match="not an act"):
        desk.prepare(anna, draft("run.manifest"), "")


def test_nobody_prepares_what_the_role_does_not_permit(desk, home, services):
    with pytest.raises(Refused, match="does not permit"):
        desk.prepare(home.actor(Role.AUDITOR), declared(services), "")


def test_an_act_is_its_persons_alone(desk, home, prepared, signing, site):
    other = home.actor(Role.SECURITY)
    with pytest.raises(NotFound):
        desk.one(other, prepared.id)
    with pytest.raises(NotFound):
        desk.ask(other, prepared.id, signing.id, browser=BROWSER, site=site)


def test_an_act_waits_five_minutes(prepared, signing, do, clock):
    clock.advance(LIFE)
    with pytest.raises(NotFound):
        do(prepared, signing)


def test_what_was_signed_in_the_last_second_can_be_read_afterwards(desk, anna, prepared, signing, do, clock, services):
    """Else whoever waits in a terminal hears that nothing was done."""
    clock.advance(LIFE - timedelta(milliseconds=1))
    do(prepared, signing)
    clock.advance(LIFE)
    assert desk.one(anna, prepared.id).outcome is not None
    desk.prepare(anna, declared(services, "i-00000002"), "")  # forgets what ended, and not this
    assert desk.one(anna, prepared.id).outcome is not None
    clock.advance(timedelta(milliseconds=1))
    with pytest.raises(NotFound):
        desk.one(anna, prepared.id)


def test_an_act_is_read_a_little_longer_than_it_can_be_signed(desk, anna, prepared, signing, do, clock):
    """A signature may have been given in time, and still be at work."""
    clock.advance(LIFE)
    assert desk.read(anna, prepared.id).outcome is None
    with pytest.raises(NotFound):
        do(prepared, signing)
    clock.advance(SETTLING)
    with pytest.raises(NotFound):
        desk.read(anna, prepared.id)


def test_a_person_has_so_many_acts_waiting(desk, anna, services):
    for _ in range(MAX_WAITING):
        desk.prepare(anna, declared(services), "")
    with pytest.raises(TooManyAttempts):
        desk.prepare(anna, declared(services), "")


def test_what_ended_is_forgotten(desk, anna, services, prepared, clock):
    clock.advance(2 * LIFE)
    desk.prepare(anna, declared(services), "")
    assert desk.acts.one(prepared.id) is None


@pytest.mark.parametrize("browser", ["another browser", ""])
def test_the_question_is_one_sessions(desk, anna, caller, prepared, signing, site, key, browser):
    options = desk.ask(anna, prepared.id, signing.id, browser=BROWSER, site=site)
    with pytest.raises(Unauthenticated):
        desk.sign(caller, prepared.id, answer_of(key, options), browser=browser)


def test_without_a_session_nothing_is_asked(desk, anna, prepared, signing, site):
    with pytest.raises(Unauthenticated):
        desk.ask(anna, prepared.id, signing.id, browser="", site=site)


def test_an_answer_is_taken_once(services, desk, anna, caller, prepared, signing, site, key):
    answer = answer_of(key, desk.ask(anna, prepared.id, signing.id, browser=BROWSER, site=site))
    desk.sign(caller, prepared.id, answer, browser=BROWSER)
    with pytest.raises(Unauthenticated):
        desk.sign(caller, prepared.id, answer, browser=BROWSER)
    with pytest.raises(Conflict):
        desk.ask(anna, prepared.id, signing.id, browser=BROWSER, site=site)
    assert len(stated(services, acts.OPENED)) == 1


def test_an_answer_to_another_act_is_none_to_this(services, desk, anna, caller, prepared, signing, site, key):
    other = desk.prepare(anna, declared(services, "i-00000002"), "")
    desk.ask(anna, prepared.id, signing.id, browser=BROWSER, site=site)
    options = desk.ask(anna, other.id, signing.id, browser=BROWSER, site=site)
    with pytest.raises(VerificationFailed, match="another statement"):
        desk.sign(caller, prepared.id, answer_of(key, options), browser=BROWSER)
    assert stated(services, acts.OPENED) == []


def test_the_answer_to_a_sign_in_signs_nothing(services, desk, anna, caller, prepared, signing, site, key):
    desk.ask(anna, prepared.id, signing.id, browser=BROWSER, site=site)
    answer = answer_of(key, services.signin.passkeys.ask_to_sign_in(browser=BROWSER, site=site))
    with pytest.raises(VerificationFailed, match="another statement"):
        desk.sign(caller, prepared.id, answer, browser=BROWSER)


@pytest.mark.parametrize("changes", [{"flags": PRESENT}, {"flags": VERIFIED}, {"origin": "http://evil.localhost:8400"}])
def test_a_wrong_answer_signs_nothing_and_uses_the_question_up(
    services, desk, anna, caller, prepared, signing, site, key, changes
):
    options = desk.ask(anna, prepared.id, signing.id, browser=BROWSER, site=site)
    with pytest.raises((VerificationFailed, MalformedInput)):
        desk.sign(caller, prepared.id, answer_of(replace(key, **changes), options), browser=BROWSER)
    with pytest.raises(Unauthenticated):
        desk.sign(caller, prepared.id, answer_of(key, options), browser=BROWSER)
    assert stated(services, acts.OPENED) == []


def test_another_passkey_of_the_same_person_answers_nothing(services, prepared, signing, do, site, anna):
    other = Authenticator(site.origin)
    enrol(services.signin, other, owner_of(anna), site)
    with pytest.raises(Unauthenticated, match="another passkey"):
        do(prepared, signing, with_=other)


def test_a_passkey_that_only_signs_in_signs_no_act(desk, anna, prepared, passkey, do):
    assert desk.signers(anna) == []
    with pytest.raises(Refused, match="enrol it for signing"):
        do(prepared, passkey)


def test_a_passkey_that_counts_backwards_signs_nothing(services, desk, anna, prepared, signing, do, key):
    key.counter = 5
    do(prepared, signing)
    key.counter = 1
    again = desk.prepare(anna, declared(services, "i-00000002"), "")
    for counter in (1, 2):
        key.counter = counter
        with pytest.raises(Refused, match="backwards"):
            do(again, signing)
    (logged,) = stated(services, "passkey.refused")  # once in an hour: a copy of the passkey must not fill the log
    claims = logged.envelope.statement.claims
    assert (claims["credential"], claims["counter"], claims["lastCounter"]) == (signing.id, 2, 6)
    assert len(stated(services, acts.OPENED)) == 1


def test_when_another_statement_took_the_place_the_person_is_asked_again(
    services, desk, anna, caller, signing, site, key, do
):
    first = desk.prepare(anna, declared(services, "i-00000001"), "")
    options = desk.ask(anna, first.id, signing.id, browser=BROWSER, site=site)
    do(desk.prepare(anna, declared(services, "i-00000002"), ""), signing)
    with pytest.raises(Conflict, match="sequence"):
        desk.sign(caller, first.id, answer_of(key, options), browser=BROWSER)
    do(first, signing)
    assert len(stated(services, acts.OPENED)) == 2


def test_a_target_that_refuses_leaves_nothing(services, desk, anna, signing, do):
    act = desk.prepare(
        anna, acts.closed(acts.Seen(IncidentId("i-0000000f"), 1, Digest.of(b"head")), START, "x"), "i-0000000f"
    )
    with pytest.raises(RingfenceError):
        do(act, signing)
    assert stated(services, acts.CLOSED) == []
    assert desk.one(anna, act.id).outcome is None


def test_the_signature_is_the_confirmation_that_a_dangerous_act_asks_for(services, desk, anna, signing, site, key):
    weak = Caller(anna, Assurance(Level.TOTP, stepped_up=False, has_passkey=True))
    with pytest.raises(StepUpRequired):
        services.identity.policies.admit(weak, "passkey.sign")
    enrol(services.signin, Authenticator(site.origin), owner_of(anna), site)
    new = next(one for one in services.signin.passkeys.passkeys.of(owner_of(anna)) if one.id != signing.id)
    act = desk.prepare(anna, services.acting.enrolling.draft(anna, new.id), new.id)
    options = desk.ask(anna, act.id, signing.id, browser=BROWSER, site=site)
    desk.sign(weak, act.id, answer_of(key, options), browser=BROWSER)
    services.ledger.integrate()
    assert {one.id for one in desk.signers(anna)} == {signing.id, new.id}


def test_another_site_gets_no_answer(desk, anna, caller, prepared, signing, key):
    options = desk.ask(anna, prepared.id, signing.id, browser=BROWSER, site=SITE)
    with pytest.raises(VerificationFailed, match="another site"):
        desk.sign(caller, prepared.id, answer_of(key, options, rp_id="example.eu"), browser=BROWSER)
