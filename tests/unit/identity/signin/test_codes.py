from datetime import timedelta

import pytest
from pyotp import TOTP

from ringfence.identity.signin.model import RECOVERY_CODES
from ringfence.identity.signin.totp import written
from ringfence.kernel.actor import Level, Role
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, TooManyAttempts, Unauthenticated

PASSPHRASE = "correct horse battery"
HERE = "192.0.2.1"


@pytest.fixture
def desk(signin):
    return signin.codes


@pytest.fixture
def app(desk, owner, clock):
    """The owner's authenticator app, whose first code was shown a while ago."""
    secret = desk.begin_totp(owner, PASSPHRASE)
    made = TOTP(written(secret).replace(" ", ""))
    desk.confirm_totp(owner, made.at(clock.now()))
    clock.advance(timedelta(minutes=2))
    return made


def sign_in(desk, owner, code, passphrase=PASSPHRASE, place=HERE):
    return desk.sign_in(owner.person, passphrase, code, place=place)


def test_a_passphrase_with_a_code_signs_in(desk, owner, app, clock, stated):
    assert sign_in(desk, owner, app.at(clock.now())) == owner
    assert stated("totp.enrolled")[0].claims == {"person": owner.person}


def test_each_code_works_once_and_so_does_none_before_it(desk, owner, app, clock):
    earlier, now = app.at(clock.now() - timedelta(seconds=30)), app.at(clock.now())
    sign_in(desk, owner, now)
    for code in (now, earlier):
        with pytest.raises(Unauthenticated):
            sign_in(desk, owner, code)
    clock.advance(timedelta(seconds=30))
    sign_in(desk, owner, app.at(clock.now()))


def test_the_code_that_confirmed_the_app_is_used_up(desk, owner, clock):
    secret = desk.begin_totp(owner, PASSPHRASE)
    code = TOTP(written(secret).replace(" ", "")).at(clock.now())
    desk.confirm_totp(owner, code)
    with pytest.raises(Unauthenticated):
        sign_in(desk, owner, code)


@pytest.mark.parametrize("change", ["passphrase", "code", "person", "not confirmed", "ended"])
def test_whoever_is_wrong_costs_the_same_work_and_hears_the_same(
    desk, owner, app, clock, hasher, services, home, change
):
    code, passphrase, person = app.at(clock.now()), PASSPHRASE, owner.person
    match change:
        case "passphrase":
            passphrase = "wrong"
        case "code":
            code = "000000"
        case "person":
            person = "person-ffffffffffff"
        case "not confirmed":
            desk.remove_totp(owner)
            desk.begin_totp(owner, PASSPHRASE)
        case "ended":
            services.identity.revocations.revoke(home.people[Role.OWNER].id)
    desk._nobody  # noqa: B018  # made once per process, so that no request pays for it
    before = hasher.looked, hasher.made
    with pytest.raises(Unauthenticated, match="does not open anything here: check the person id, the passphrase and"):
        desk.sign_in(person, passphrase, code, place=HERE)
    assert (hasher.looked, hasher.made) == (before[0] + 1, before[1])


def test_a_stranger_is_locked_out_like_anybody(desk, owner, app, clock):
    for person in (owner.person, "person-ffffffffffff"):
        for _ in range(5):
            with pytest.raises(Unauthenticated):
                desk.sign_in(person, "wrong", "000000", place="")
        with pytest.raises(TooManyAttempts):
            desk.sign_in(person, PASSPHRASE, app.at(clock.now()), place="")


@pytest.mark.parametrize("passphrase", ["", "short", "x" * 11, "x" * 257])
def test_a_passphrase_has_some_length(desk, owner, passphrase):
    with pytest.raises(MalformedInput):
        desk.begin_totp(owner, passphrase)


def test_an_app_that_showed_no_code_opens_nothing(desk, owner, clock):
    secret = desk.begin_totp(owner, PASSPHRASE)
    with pytest.raises(Unauthenticated):
        sign_in(desk, owner, TOTP(written(secret).replace(" ", "")).at(clock.now()))
    with pytest.raises(Refused):
        desk.confirm_totp(owner, "000000")


def test_the_first_code_is_not_guessed_either(desk, owner):
    desk.begin_totp(owner, PASSPHRASE)
    for _ in range(5):
        with pytest.raises(Refused):
            desk.confirm_totp(owner, "000000")
    with pytest.raises(TooManyAttempts):
        desk.confirm_totp(owner, "000000")


def test_one_app_at_a_time_and_removal_is_stated(desk, owner, app, clock, stated):
    with pytest.raises(Refused, match="already"):
        desk.begin_totp(owner, PASSPHRASE)
    desk.remove_totp(owner)
    assert stated("totp.removed")[0].claims["removedBy"] == owner.person
    with pytest.raises(Unauthenticated):
        sign_in(desk, owner, app.at(clock.now()))
    with pytest.raises(NotFound):
        desk.remove_totp(owner)
    with pytest.raises(NotFound):
        desk.confirm_totp(owner, "000000")


def test_no_secret_lies_in_the_database(desk, owner, app, services, home):
    codes = desk.issue_recovery(owner)
    services.database.close()
    kept = home.stored()
    for secret in (app.byte_secret(), app.secret.encode(), PASSPHRASE.encode(), codes[0].encode()):
        assert secret not in kept


# Recovery


def test_a_recovery_code_works_once_ends_sessions_and_is_stated(signin, owner, other, stated):
    codes = signin.codes.issue_recovery(owner)
    assert len(codes) == len(set(codes)) == RECOVERY_CODES
    session, theirs = signin.sessions.open(owner, Level.PASSKEY), signin.sessions.open(other, Level.PASSKEY)
    assert signin.codes.recover(owner.person, codes[6].upper().replace("-", " ", 0), place=HERE) == owner
    with pytest.raises(Unauthenticated):
        signin.sessions.caller(session)
    assert signin.sessions.caller(theirs)
    with pytest.raises(Unauthenticated):
        signin.codes.recover(owner.person, codes[6], place=HERE)
    assert stated("recovery.used")[0].claims == {"person": owner.person, "left": 9}
    assert signin.codes.recover(owner.person, codes[0], place=HERE) == owner


def test_new_codes_make_the_old_ones_void(desk, owner, stated):
    old = desk.issue_recovery(owner)
    desk.issue_recovery(owner)
    with pytest.raises(Unauthenticated):
        desk.recover(owner.person, old[0], place=HERE)
    assert [each.claims["codes"] for each in stated("recovery.issued")] == [10, 10]


@pytest.mark.parametrize("code", ["", "1", "1-", "99-aaaa-aaaa-aaaa-aaaa", "x", "1-aaaa-aaaa-aaaa-aaaa", "-1"])
def test_a_wrong_code_costs_one_comparison_whoever_is_meant(desk, owner, hasher, code):
    desk.issue_recovery(owner)
    desk._nobody  # noqa: B018
    for person in (owner.person, "person-ffffffffffff"):
        before = hasher.looked
        with pytest.raises(Unauthenticated):
            desk.recover(person, code, place="")
        assert hasher.looked == before + 1


def test_nobody_else_uses_them(desk, owner, other):
    codes = desk.issue_recovery(owner)
    desk.issue_recovery(other)
    with pytest.raises(Unauthenticated):
        desk.recover(other.person, codes[0], place=HERE)


def test_whoever_guesses_keeps_nobody_from_their_recovery(desk, owner):
    """Eighty random bits are not guessed: a person who is locked out by others still has them."""
    codes = desk.issue_recovery(owner)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            desk.recover(owner.person, "1-aaaa-aaaa-aaaa-aaaa", place="")
        with pytest.raises(Unauthenticated):
            desk.sign_in(owner.person, "wrong", "000000", place="")
    assert desk.recover(owner.person, codes[0], place=HERE) == owner


@pytest.mark.parametrize("number", [0, 9])
@pytest.mark.parametrize("write", [str.upper, lambda code: code.replace("-", ""), lambda code: code.replace("-", " ")])
def test_a_recovery_code_may_be_written_as_people_write(desk, owner, number, write):
    assert desk.recover(owner.person, write(desk.issue_recovery(owner)[number]), place=HERE) == owner


@pytest.mark.parametrize("person", ["\0", "person-\0", "x" * 300, ""])
def test_what_is_no_person_is_nobody(desk, person):
    for attempt in (lambda: desk.sign_in(person, "x", "000000", place=""), lambda: desk.recover(person, "x", place="")):
        with pytest.raises(Unauthenticated):
            attempt()
