"""Whose signature counts, and when."""

import base64
import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope, key_id_of
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import KeyId
from ringfence.kernel.statement import KeyRole, Subject
from ringfence.ledger import issuers
from ringfence.ledger.issuers import Issuers, fold
from ringfence.ledger.model import Standing, Vouched
from ringfence.testing.clock import START
from ringfence.testing.keys import ed25519, enrolment, key_subject, ml_dsa_44, public, revocation, state

ROOT, CONTROL, OPERATOR, EMERGENCY, LEDGER, STRANGER = (ed25519(seed) for seed in range(10, 16))
ROLES = {CONTROL: KeyRole.CONTROL_PLANE, OPERATOR: KeyRole.OPERATOR, EMERGENCY: KeyRole.EMERGENCY}
ROLES |= {LEDGER: KeyRole.LEDGER}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPERATOR_ID = key_id_of(public(OPERATOR))


def enrolled(key: Any, role: KeyRole, /, *, by: Any = ROOT, **claims: Any) -> Envelope:
    return state(by, "key.enrolled", enrolment(key, role, **claims), key_subject(key))


def revoked(key: Any, at: datetime, /, *, by: Any = ROOT, **claims: Any) -> Envelope:
    return state(by, "key.revoked", revocation(key, at, **claims), key_subject(key))


EVERYBODY = [(START, enrolled(key, role)) for key, role in ROLES.items()]


def standing(log: list[tuple[datetime, Envelope]], when: datetime, key: Any = OPERATOR) -> Standing:
    return fold(log, public(ROOT)).at(key_id_of(public(key)), when)[0]


def reasons(log: list[tuple[datetime, Envelope]]) -> list[str]:
    return [item.reason for item in fold(log, public(ROOT)).disregarded]


def test_the_root_is_known_from_outside_and_always_counts() -> None:
    empty = fold([], public(ROOT))
    found, issuer = empty.at(key_id_of(public(ROOT)), START)
    assert (found, empty.root) == (Standing.TRUSTED, issuer)
    assert (empty.root.role, empty.root.public_key) == (KeyRole.ROOT, public(ROOT))
    assert empty.at(key_id_of(public(STRANGER)), START) == (Standing.UNKNOWN, None)


def test_an_enrolled_key_is_judged_by_time() -> None:
    log = [(START, enrolled(OPERATOR, KeyRole.OPERATOR, validFrom=to_text(START + DAY)))]
    year = START + 365 * DAY
    moments = [START - HOUR, START, START + DAY - HOUR, START + DAY, year - HOUR, year]
    assert [standing(log, when) for when in moments] == [
        Standing.UNKNOWN,
        Standing.NOT_YET_VALID,
        Standing.NOT_YET_VALID,
        Standing.TRUSTED,
        Standing.TRUSTED,
        Standing.EXPIRED,
    ]


def test_an_enrolment_dated_back_vouches_for_nothing_that_was_logged_before_it() -> None:
    log = [(START + DAY, enrolled(OPERATOR, KeyRole.OPERATOR, validFrom=to_text(START)))]
    assert standing(log, START + HOUR) is Standing.UNKNOWN
    assert standing(log, START + DAY) is Standing.TRUSTED


def test_what_was_enrolled_is_returned() -> None:
    envelope = enrolled(OPERATOR, KeyRole.OPERATOR, person="person-0123456789ab", custody="pkcs11")
    _, issuer = fold([(START, envelope)], public(ROOT)).at(OPERATOR_ID, START)
    assert issuer is not None
    assert (issuer.key, issuer.role, issuer.public_key) == (OPERATOR_ID, KeyRole.OPERATOR, public(OPERATOR))
    assert (issuer.valid_from, issuer.valid_until) == (START, START + 365 * DAY)
    assert (issuer.person, issuer.custody, issuer.revoked_at) == ("person-0123456789ab", "pkcs11", None)


@pytest.mark.parametrize("by", [CONTROL, OPERATOR, EMERGENCY, LEDGER, STRANGER])
def test_only_the_root_enrols(by: Any) -> None:
    log = [*EVERYBODY, (START, enrolled(ed25519(20), KeyRole.OPERATOR, by=by))]
    assert standing(log, START, ed25519(20)) is Standing.UNKNOWN
    assert len(reasons(log)) == 1


def test_a_signature_by_the_root_is_verified() -> None:
    good = enrolled(OPERATOR, KeyRole.OPERATOR)
    bad = Envelope(good.data, good.payload, good.signer, bytes(64), good.statement)
    assert standing([(START, bad)], START) is Standing.UNKNOWN
    assert reasons([(START, bad)]) == ["the signature does not match the statement"]


@pytest.mark.parametrize("role", [KeyRole.OPERATOR, KeyRole.CONTROL_PLANE])
def test_a_key_is_enrolled_once(role: KeyRole) -> None:
    """Neither a new role nor a longer life for a key that is known."""
    again = enrolled(OPERATOR, role, validUntil=to_text(START + 9999 * DAY))
    log = [*EVERYBODY, (START + DAY, again)]
    known = fold(log, public(ROOT)).enrolments[OPERATOR_ID].issuer
    assert (known.role, known.valid_until) == (KeyRole.OPERATOR, START + 365 * DAY)
    assert "one enrolment for ever" in reasons(log)[0]


def test_the_root_is_enrolled_by_nobody() -> None:
    for log in ([(START, enrolled(ROOT, KeyRole.OPERATOR))], [(START, enrolled(STRANGER, KeyRole.ROOT))]):
        assert fold(log, public(ROOT)).enrolments == {}
        assert len(reasons(log)) == 1


@pytest.mark.parametrize(
    ("at", "recorded_at", "since"),
    [
        (START + 2 * DAY, START + 4 * DAY, START + 2 * DAY),  # lost on the second day, noticed on the fourth
        (START + 9 * DAY, START + 4 * DAY, START + 4 * DAY),  # dated into the future: known is known
        (START - 9 * DAY, START + 4 * DAY, START),  # never before the enrolment
    ],
)
def test_a_revocation_counts_from_the_earlier_of_its_two_times(
    at: datetime, recorded_at: datetime, since: datetime
) -> None:
    log = [*EVERYBODY, (recorded_at, revoked(OPERATOR, at, reason="lost"))]
    _, issuer = fold(log, public(ROOT)).at(OPERATOR_ID, since)
    assert issuer is not None
    assert issuer.revoked_at == since
    assert standing(log, since) is Standing.REVOKED
    assert standing(log, since - timedelta(milliseconds=1)) is (Standing.TRUSTED if since > START else Standing.UNKNOWN)
    assert standing(log, START + 9999 * DAY) is Standing.REVOKED


@pytest.mark.parametrize(("first", "second"), [(2, 5), (5, 2)])
def test_the_earliest_revocation_wins(first: int, second: int) -> None:
    log = [*EVERYBODY, *[(START + 9 * DAY, revoked(OPERATOR, START + days * DAY)) for days in (first, second)]]
    assert fold(log, public(ROOT)).enrolments[OPERATOR_ID].issuer.revoked_at == START + 2 * DAY


@pytest.mark.parametrize("by", [ROOT, CONTROL, EMERGENCY])
def test_these_roles_revoke(by: Any) -> None:
    assert standing([*EVERYBODY, (START + DAY, revoked(OPERATOR, START + DAY, by=by))], START + DAY) is Standing.REVOKED


@pytest.mark.parametrize("by", [OPERATOR, LEDGER, STRANGER])
def test_no_other_key_revokes_not_even_itself(by: Any) -> None:
    log = [*EVERYBODY, (START + DAY, revoked(OPERATOR, START + DAY, by=by))]
    assert standing(log, START + DAY) is Standing.TRUSTED
    assert reasons(log) == ["the key that signed the revocation may not revoke keys"]


def test_a_revoked_or_expired_key_revokes_nothing() -> None:
    gone = [*EVERYBODY, (START + DAY, revoked(CONTROL, START + DAY))]
    assert standing([*gone, (START + DAY, revoked(OPERATOR, START, by=CONTROL))], START + DAY) is Standing.TRUSTED
    late = START + 364 * DAY + DAY
    assert OPERATOR_ID not in revoked_keys([*EVERYBODY, (late, revoked(OPERATOR, START, by=CONTROL))])


def revoked_keys(log: list[tuple[datetime, Envelope]]) -> set[str]:
    known = fold(log, public(ROOT)).enrolments
    return {key for key, item in known.items() if item.issuer.revoked_at is not None}


def test_the_signature_of_a_revocation_is_verified() -> None:
    good = revoked(OPERATOR, START, by=CONTROL)
    bad = Envelope(good.data, good.payload, good.signer, bytes(64), good.statement)
    assert standing([*EVERYBODY, (START, bad)], START) is Standing.TRUSTED


def test_a_revocation_of_an_unknown_key_or_of_the_root_counts_for_nothing() -> None:
    log = [*EVERYBODY, (START, revoked(STRANGER, START)), (START, revoked(ROOT, START, by=EMERGENCY))]
    assert standing(log, START, ROOT) is Standing.TRUSTED
    assert reasons(log) == ["the key to be revoked is not enrolled"] * 2


def test_a_revoked_key_does_not_come_back() -> None:
    log = [*EVERYBODY, (START + DAY, revoked(OPERATOR, START + DAY))]
    log.append((START + 2 * DAY, enrolled(OPERATOR, KeyRole.OPERATOR)))
    assert standing(log, START + 3 * DAY) is Standing.REVOKED


def test_other_statements_change_nothing() -> None:
    before = fold(EVERYBODY, public(ROOT))
    other = state(OPERATOR, "dataset.opened", {"purpose": "test"}, Subject("dataset/x", Digest.of(b"x")))
    assert before.after(START, other) is before


def test_folding_is_a_step_at_a_time() -> None:
    step: Issuers = issuers.start(public(ROOT))
    for recorded_at, envelope in EVERYBODY:
        step = step.after(recorded_at, envelope)
    assert step == fold(EVERYBODY, public(ROOT))


SECOND = base64.b64encode(ml_dsa_44(1).public_key().public_bytes_raw()).decode()


def test_the_ledgers_second_key_may_be_enrolled_with_it() -> None:
    log = [(START, enrolled(LEDGER, KeyRole.LEDGER, mlDsa44PublicKey=SECOND))]
    assert standing(log, START, LEDGER) is Standing.TRUSTED


@pytest.mark.parametrize(
    "claims",
    [
        {"role": "root"},
        {"role": "admin"},
        {"role": ["operator"]},
        {"algorithm": "rsa"},
        {"algorithm": None},
        {"publicKey": "AAAA"},
        {"publicKey": 7},
        {"publicKey": base64.b64encode(public(STRANGER)).decode()},
        {"publicKey": base64.b64encode(public(OPERATOR)).decode().rstrip("=")},
        {"validFrom": to_text(START + 365 * DAY)},
        {"validFrom": "yesterday"},
        {"validUntil": None},
        {"custody": "pocket"},
        {"custody": 7},
        {"person": "Ada Lovelace"},
        {"person": "person-0123456789ab", "role": "control-plane"},
        {"mlDsa44PublicKey": SECOND},
        {"mlDsa44PublicKey": "AAAA", "role": "ledger"},
        {"more": 1},
    ],
)
def test_other_claims_enrol_nobody_and_the_fold_goes_on(claims: dict[str, Any]) -> None:
    wrong = enrolled(OPERATOR, KeyRole.OPERATOR, **claims)
    log = [(START, wrong), (START, enrolled(CONTROL, KeyRole.CONTROL_PLANE))]
    assert standing(log, START) is Standing.UNKNOWN
    assert standing(log, START, CONTROL) is Standing.TRUSTED
    assert fold(log, public(ROOT)).disregarded[0].envelope == wrong.digest
    with pytest.raises(MalformedInput):
        issuers.parse_enrolment(wrong.statement)


def test_the_subject_of_an_enrolment_is_the_key() -> None:
    wrong = state(ROOT, "key.enrolled", enrolment(OPERATOR, KeyRole.OPERATOR), key_subject(STRANGER))
    assert standing([(START, wrong)], START) is Standing.UNKNOWN


@pytest.mark.parametrize(
    "claims", [{"keyId": "ab"}, {"reason": "He left us."}, {"reason": 7}, {"at": "today"}, {"at": None}, {"more": 1}]
)
def test_other_claims_revoke_nothing(claims: dict[str, Any]) -> None:
    wrong = revoked(OPERATOR, START, **claims)
    assert standing([*EVERYBODY, (START, wrong)], START) is Standing.TRUSTED
    with pytest.raises(MalformedInput):
        issuers.parse_revocation(wrong.statement)


WITNESSED = [
    # the statement is entry 7, recorded an hour after the enrolment: reason, revoked since (hours), covered by a head
    # of another party below (entries): what its key was worth
    ("compromised", 4, 8, Standing.TRUSTED),
    ("compromised", 4, 7, Standing.UNPROVEN),  # covered by no head from before: only the log says when it came
    ("compromised", 4, None, Standing.UNPROVEN),
    ("compromised", 1, 8, Standing.REVOKED),  # nobody's word brings back what the log itself dates after the end
    ("superseded", 4, 8, Standing.TRUSTED),
    ("superseded", 4, None, Standing.TRUSTED),  # nobody else had the key: the operator's word is enough
    ("lost", 4, 7, Standing.TRUSTED),
]


@pytest.mark.parametrize(("reason", "since", "size", "standing"), WITNESSED)
def test_what_another_party_has_to_vouch_for(reason: str, since: int, size: int | None, standing: Standing) -> None:
    end = START + since * HOUR
    asked: list[datetime] = []

    def vouched(when: datetime) -> Vouched | None:
        asked.append(when)
        return None if size is None else Vouched(size, "Auditor", end - HOUR)

    found = fold([*EVERYBODY, (START + DAY, revoked(OPERATOR, end, reason=reason))], public(ROOT)).proven(vouched)
    worth, issuer = found.at(OPERATOR_ID, START + HOUR, 7)
    assert (worth, asked, issuer.ends_at) == (standing, [end], end)
    assert (issuer.vouched_for(7) is not None) is (size == 8)
    assert found.at(OPERATOR_ID, START + DAY, 9)[0] is Standing.REVOKED
    assert found.ended_at == end


def test_a_statement_that_is_not_in_the_log_is_never_older_than_a_compromise() -> None:
    log = fold([*EVERYBODY, (START + DAY, revoked(OPERATOR, START + DAY))], public(ROOT))
    found = log.proven(lambda when: Vouched(1000, "Auditor", when))
    assert found.at(OPERATOR_ID, START + HOUR)[0] is Standing.UNPROVEN


def test_a_key_ends_as_compromised_where_one_of_its_revocations_says_so() -> None:
    first, second = revoked(OPERATOR, START + HOUR, reason="lost"), revoked(OPERATOR, START + 2 * HOUR)
    for one, other in ((first, second), (second, first)):
        known = (
            fold([*EVERYBODY, (START + DAY, one), (START + DAY, other)], public(ROOT)).enrolments[OPERATOR_ID].issuer
        )
        assert (known.revoked_at, known.compromised_at) == (START + HOUR, START + 2 * HOUR)
        assert known.ends_at == START + 2 * HOUR


def test_a_chain_of_passkeys_has_an_end() -> None:
    """Each statement is judged along it: a pack of nothing else would keep a verifier busy for hours."""
    known = fold(EVERYBODY, public(ROOT))
    one = known.enrolments[OPERATOR_ID]
    names = [OPERATOR_ID, *(KeyId(f"{number:064x}") for number in range(issuers.MAX_LINKS))]
    chain = {key: replace(one, by=before) for before, key in itertools.pairwise(names)}
    found = replace(known, enrolments={**known.enrolments, **chain})
    assert found.at(names[-2], START)[0] is Standing.TRUSTED
    assert found.at(names[-1], START)[0] is Standing.UNKNOWN
