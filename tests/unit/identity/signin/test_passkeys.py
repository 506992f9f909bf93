from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.identity.signin.browser import NewCredential
from ringfence.identity.signin.model import CEREMONY_LIFE, MAX_PASSKEYS, Site
from ringfence.kernel.actor import Level, Role
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused, Unauthenticated, VerificationFailed
from ringfence.testing.authenticator import PRESENT, VERIFIED, Authenticator
from ringfence.testing.signin import BROWSER, answer_of, enrol


def ask(signin, site, browser=BROWSER):
    return signin.passkeys.ask_to_sign_in(browser=browser, site=site)


def sign_in(signin, answer, site, browser=BROWSER):
    return signin.passkeys.sign_in(answer, browser=browser, site=site)


def test_what_was_enrolled_signs_in_by_itself(enrolled, key, owner, site, stated, clock):
    assert sign_in(enrolled, answer_of(key, ask(enrolled, site)), site) == owner
    (passkey,) = enrolled.passkeys.passkeys.of(owner)
    assert (passkey.sign_count, passkey.last_used_at) == (1, clock.now())
    assert passkey.transports == ("usb",)
    (statement,) = stated("passkey.enrolled")
    assert statement.claims["credential"] == passkey.id
    assert statement.claims["passkeys"] == 1


def test_the_question_of_the_entrance_names_nobody(enrolled, site):
    options = ask(enrolled, site)
    assert options["allowCredentials"] == []
    assert options["userVerification"] == "required"


def test_an_answer_is_taken_once(enrolled, key, site):
    answer = answer_of(key, ask(enrolled, site))
    sign_in(enrolled, answer, site)
    with pytest.raises(Unauthenticated, match="not asked"):
        sign_in(enrolled, answer, site)


def test_a_wrong_answer_uses_the_question_up_too(enrolled, key, site):
    options = ask(enrolled, site)
    with pytest.raises(Unauthenticated):
        sign_in(enrolled, answer_of(Authenticator(site.origin), options), site)
    with pytest.raises(Unauthenticated, match="not asked"):
        sign_in(enrolled, answer_of(key, options), site)


def test_an_answer_comes_in_time_and_from_the_browser_that_was_asked(enrolled, key, site, clock):
    answer = answer_of(key, ask(enrolled, site))
    for browser in ("another browser", ""):
        with pytest.raises(Unauthenticated, match="not asked"):
            sign_in(enrolled, answer, site, browser)
    clock.advance(CEREMONY_LIFE)
    with pytest.raises(Unauthenticated, match="not asked"):
        sign_in(enrolled, answer, site)


def test_an_answer_to_one_question_is_none_to_another(enrolled, key, owner, site):
    """A page that asks for a sign-in gets nothing that confirms a dangerous act, nor the other way round."""
    enrolled.passkeys.ask_to_confirm(owner, browser=BROWSER, site=site)
    with pytest.raises(Unauthenticated, match="does not open"):
        enrolled.passkeys.confirm(owner, answer_of(key, ask(enrolled, site)), browser=BROWSER, site=site)


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "http://localhost:8401"},
        {"origin": "http://localhost:8400.evil.example"},
        {"origin": "https://localhost:8400"},
        {"flags": VERIFIED},
        {"flags": PRESENT},
        {"more": {"crossOrigin": True}},
        {"more": {"topOrigin": "https://evil.example"}},
        {"more": {"type": "webauthn.create"}},
        {"handle": b"somebody else"},
        {"handle": b""},
    ],
)
def test_a_passkey_that_signed_something_else_opens_nothing(enrolled, key, site, lie):
    for name, value in lie.items():
        setattr(key, name, value)
    with pytest.raises(Unauthenticated):
        sign_in(enrolled, answer_of(key, ask(enrolled, site)), site)


def test_a_passkey_that_signed_for_another_host_opens_nothing(enrolled, key, site):
    with pytest.raises(Unauthenticated):
        sign_in(enrolled, answer_of(key, ask(enrolled, site), rp_id="evil.example"), site)


def test_every_refusal_reads_alike(enrolled, key, site, home, services):
    """Unknown, removed, somebody whose access ended, a wrong signature: a stranger learns nothing from the words."""
    words = set()
    strangers = [Authenticator(site.origin), Authenticator(site.origin, credential=key.credential)]
    for stranger in strangers:
        stranger.handle = key.handle
        with pytest.raises(Unauthenticated) as refused:
            sign_in(enrolled, answer_of(stranger, ask(enrolled, site)), site)
        words.add(str(refused.value))
    services.identity.revocations.revoke(home.people[Role.OWNER].id)
    with pytest.raises(Unauthenticated) as refused:
        sign_in(enrolled, answer_of(key, ask(enrolled, site)), site)
    assert words == {str(refused.value)}


def test_a_counter_that_does_not_grow_is_refused_and_stated(enrolled, key, site, stated):
    for _ in range(3):
        sign_in(enrolled, answer_of(key, ask(enrolled, site)), site)
    key.counter = 1
    with pytest.raises(Unauthenticated):
        sign_in(enrolled, answer_of(key, ask(enrolled, site)), site)
    (statement,) = stated("passkey.refused")
    assert (statement.claims["counter"], statement.claims["lastCounter"]) == (2, 3)
    key.counter = 3
    sign_in(enrolled, answer_of(key, ask(enrolled, site)), site)


def test_a_passkey_without_a_counter_is_never_refused_for_it(signin, key, owner, site):
    enrol(signin, key, owner, site)
    for _ in range(3):
        key.counter = -1
        assert sign_in(signin, answer_of(key, ask(signin, site)), site) == owner


def test_nobody_confirms_with_somebody_elses_passkey(enrolled, key, other, site, owner):
    stranger = Authenticator(site.origin)
    enrol(enrolled, stranger, other, site)
    options = enrolled.passkeys.ask_to_confirm(owner, browser=BROWSER, site=site)
    assert len(options["allowCredentials"]) == 1
    with pytest.raises(Unauthenticated):
        enrolled.passkeys.confirm(owner, answer_of(stranger, options), browser=BROWSER, site=site)
    options = enrolled.passkeys.ask_to_confirm(owner, browser=BROWSER, site=site)
    enrolled.passkeys.confirm(owner, answer_of(key, options), browser=BROWSER, site=site)


def test_who_has_none_confirms_nothing(signin, owner, site):
    with pytest.raises(Refused, match="no passkey yet"):
        signin.passkeys.ask_to_confirm(owner, browser=BROWSER, site=site)


@pytest.mark.parametrize("algorithm", [-8, -257, -35, -36])
def test_other_algorithms_are_not_taken(signin, key, owner, site, algorithm):
    options = signin.passkeys.ask_to_enrol(owner, browser=BROWSER, site=site)
    new = NewCredential.model_validate(key.create(options, algorithm=algorithm)).parsed()
    with pytest.raises((VerificationFailed, MalformedInput)):
        signin.passkeys.enrol(owner, new, browser=BROWSER, site=site, basis=Level.LINK)


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "http://localhost:8401"},
        {"flags": VERIFIED},
        {"flags": PRESENT},
        {"more": {"crossOrigin": True}},
        {"more": {"topOrigin": "https://evil.example"}},
        {"more": {"type": "webauthn.get"}},
        {"more": {"challenge": "AAAA"}},
    ],
)
def test_a_new_passkey_is_made_here_and_now_and_with_its_person(signin, key, owner, site, lie, stated):
    for name, value in lie.items():
        setattr(key, name, value)
    with pytest.raises(VerificationFailed):
        enrol(signin, key, owner, site)
    assert not signin.passkeys.passkeys.of(owner)
    assert not stated("passkey.enrolled")


def test_a_new_passkey_of_another_host_is_not_taken(signin, owner, site):
    options = signin.passkeys.ask_to_enrol(owner, browser=BROWSER, site=Site("evil.example", site.origin))
    new = NewCredential.model_validate(Authenticator(site.origin).create(options)).parsed()
    with pytest.raises(VerificationFailed):
        signin.passkeys.enrol(owner, new, browser=BROWSER, site=site, basis=Level.LINK)


def test_a_passkey_belongs_to_one_person_for_ever(enrolled, key, other, site):
    with pytest.raises(Conflict):
        enrol(enrolled, key, other, site)


def test_what_is_known_is_not_offered_again_and_the_number_is_bounded(enrolled, owner, site):
    options = enrolled.passkeys.ask_to_enrol(owner, browser=BROWSER, site=site)
    assert len(options["excludeCredentials"]) == 1
    for _ in range(MAX_PASSKEYS - 1):
        enrol(enrolled, Authenticator(site.origin), owner, site)
    with pytest.raises(Refused, match="nobody has more"):
        enrolled.passkeys.ask_to_enrol(owner, browser=BROWSER, site=site)


def test_questions_that_were_asked_in_time_make_no_more_passkeys_than_one_may_have(enrolled, owner, site, services):
    (known,) = enrolled.passkeys.passkeys.of(owner)
    with services.database.transaction():
        for number in range(MAX_PASSKEYS - 2):
            enrolled.passkeys.passkeys.add(replace(known, credential=b"%d" % number))
    late = enrolled.passkeys.ask_to_enrol(owner, browser="late", site=site)
    enrol(enrolled, Authenticator(site.origin), owner, site)
    new = NewCredential.model_validate(Authenticator(site.origin).create(late)).parsed()
    with pytest.raises(Refused, match="nobody has more"):
        enrolled.passkeys.enrol(owner, new, browser="late", site=site, basis=Level.LINK)
    assert len(enrolled.passkeys.passkeys.of(owner)) == MAX_PASSKEYS


def test_removal_is_stated_and_the_last_one_needs_another_way_in(enrolled, key, owner, other, site, stated, clock):
    (passkey,) = enrolled.passkeys.passkeys.of(owner)
    with pytest.raises(Refused, match="last passkey"):
        enrolled.passkeys.remove(owner, passkey.id, recoverable=False)
    with pytest.raises(NotFound):
        enrolled.passkeys.remove(other, passkey.id, recoverable=True)
    clock.advance(timedelta(seconds=1))
    enrolled.passkeys.remove(owner, passkey.id, recoverable=True)
    assert stated("passkey.removed")[0].claims["passkeys"] == 0
    with pytest.raises(Unauthenticated):
        sign_in(enrolled, answer_of(key, ask(enrolled, site)), site)
