from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.issuers import fold
from ringfence.ledger.model import LoggedStatement
from ringfence.signing.custody import SIGNS, State, custody_history, parse_custody
from ringfence.testing import keys
from ringfence.testing.clock import START

ROOT, OPERATOR, CONTROL = keys.ed25519(1), keys.ed25519(2), keys.ed25519(3)
HOUR = timedelta(hours=1)


def logged(*envelopes: Envelope):
    """Take statements in, one an hour."""
    times = [START + HOUR * number for number in range(len(envelopes))]
    found = []
    for number, (at, envelope) in enumerate(zip(times, envelopes, strict=True)):
        issuers = fold(zip(times[: number + 1], envelopes, strict=False), keys.public(ROOT))
        standing, issuer = issuers.at(envelope.signer, at)
        found.append(LoggedStatement(number, at, envelope, None, standing, issuer))
    return found


def enrol(key, role, sequence=1, **claims):
    return keys.state(
        ROOT, "key.enrolled", keys.enrolment(key, role, **claims), keys.key_subject(key), sequence=sequence
    )


def moved(key, by=OPERATOR, sequence=1, **claims):
    named = {"keyId": keys.key_subject(key).digest.hex, "custody": "pkcs11"} | claims
    return keys.state(by, "key.custody", named, keys.key_subject(key), sequence=sequence)


def history(*envelopes, at=START + HOUR * 24):
    return {held.key: held for held in custody_history(logged(*envelopes), keys.public(ROOT), at)}


def of(found, key):
    return found[keys.key_subject(key).digest.hex]


def test_who_held_which_key_when():
    revoked = keys.state(
        ROOT,
        "key.revoked",
        keys.revocation(CONTROL, START + HOUR * 2, reason="superseded"),
        keys.key_subject(CONTROL),
        sequence=3,
    )
    found = history(
        enrol(OPERATOR, KeyRole.OPERATOR, person="person-0123456789ab"),
        enrol(CONTROL, KeyRole.CONTROL_PLANE, 2),
        moved(CONTROL),
        revoked,
    )
    operator, control, root = of(found, OPERATOR), of(found, CONTROL), of(found, ROOT)
    assert (operator.person, operator.state, operator.since) == ("person-0123456789ab", State.IN_FORCE, START)
    assert (control.state, control.reason, control.until) == (State.REVOKED, "superseded", START + HOUR * 2)
    assert [kept.custody for kept in control.kept] == ["file-passphrase", "pkcs11"]
    assert control.kept[1].since == START + HOUR * 2
    assert (root.role, root.kept[0].custody, root.signs) == (KeyRole.ROOT, "pinned", SIGNS[KeyRole.ROOT])


def test_shares_name_their_threshold():
    found = history(enrol(OPERATOR, KeyRole.OPERATOR), moved(ROOT, custody="shares", threshold=2, shares=3))
    kept = of(found, ROOT).kept[-1]
    assert (kept.custody, kept.threshold, kept.shares) == ("shares", 2, 3)


def test_what_was_recorded_later_is_not_told():
    envelopes = [enrol(OPERATOR, KeyRole.OPERATOR), enrol(CONTROL, KeyRole.CONTROL_PLANE, 2)]
    assert keys.key_subject(CONTROL).digest.hex not in history(*envelopes, at=START)


def test_a_key_that_nobody_enrolled_tells_nothing_about_others():
    found = history(enrol(CONTROL, KeyRole.CONTROL_PLANE), moved(CONTROL, by=keys.ed25519(9)))
    assert [kept.custody for kept in of(found, CONTROL).kept] == ["file-passphrase"]


def test_a_revocation_that_does_not_count_ends_nothing():
    forged = keys.state(keys.ed25519(9), "key.revoked", keys.revocation(CONTROL, START), keys.key_subject(CONTROL))
    assert of(history(enrol(CONTROL, KeyRole.CONTROL_PLANE), forged), CONTROL).state is State.IN_FORCE


def test_states_follow_the_time():
    enrolled = enrol(CONTROL, KeyRole.CONTROL_PLANE)
    assert of(history(enrolled, at=START + timedelta(days=400)), CONTROL).state is State.EXPIRED


def test_every_role_says_what_it_signs():
    assert SIGNS.keys() == set(KeyRole)


@pytest.mark.parametrize(
    "claims",
    [
        {"custody": "pocket"},
        {"custody": "shares"},
        {"custody": "shares", "threshold": 1, "shares": 3},
        {"custody": "shares", "threshold": 4, "shares": 3},
        {"custody": "shares", "threshold": "2", "shares": 3},
        {"custody": "pkcs11", "threshold": 2},
        {"keyId": "x"},
    ],
)
def test_a_statement_that_says_it_wrongly_counts_for_nothing(claims):
    envelope = moved(CONTROL, **claims)
    with pytest.raises(MalformedInput):
        parse_custody(envelope.statement)
    found = history(enrol(OPERATOR, KeyRole.OPERATOR), enrol(CONTROL, KeyRole.CONTROL_PLANE, 2), envelope)
    assert len(of(found, CONTROL).kept) == 1
    assert replace(of(found, CONTROL), reason="") == of(found, CONTROL)
