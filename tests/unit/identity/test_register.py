from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.identity.model import KEY_LIFE, LEAVER_GRACE, Custody, Factors, PersonRecord
from ringfence.identity.register import access_register, key_lifecycle, key_revoked
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import KeyId, PersonId, Tenant
from ringfence.testing.clock import START

TENANT = Tenant("main")
POLICY = Digest.of(b"policy")
ONE = PersonRecord(PersonId("person-0123456789ab"), TENANT, Role.OWNER, "Ada", KeyId("0" * 64), bytes(32), START)
TICK = timedelta(milliseconds=1)


def claims(*people, at=START):
    return access_register(TENANT, people, POLICY, at).claims


def test_only_those_with_access_are_counted():
    gone = replace(ONE, role=Role.AUDITOR, removed_at=START, left_at=START)
    found = claims(ONE, replace(ONE, role=Role.ENGINEER), replace(ONE, key=KeyId("")), gone)
    assert (found["people"], found["roles"], found["keysWithoutPerson"]) == (3, {"engineer": 1, "owner": 2}, 1)
    assert found["policyDigest"] == str(POLICY)


@pytest.mark.parametrize(
    ("after", "removed", "overdue"),
    [
        (LEAVER_GRACE, None, 0),
        (LEAVER_GRACE + TICK, None, 1),
        (LEAVER_GRACE + TICK, LEAVER_GRACE, 0),
        (timedelta(0), LEAVER_GRACE + TICK, 1),
    ],
)
def test_a_leaver_is_overdue_after_a_day(after, removed, overdue):
    person = replace(ONE, left_at=START, removed_at=None if removed is None else START + removed)
    assert claims(person, at=START + after)["leaversOverdue"] == overdue


def test_second_factors_are_counted_of_those_with_access():
    two, three, gone = (replace(ONE, id=PersonId(f"person-{n:012x}")) for n in range(3))
    gone = replace(gone, removed_at=START, left_at=START)
    factors = Factors(passkeys=frozenset({ONE.id, gone.id}), apps=frozenset({ONE.id, two.id}))
    found = access_register(TENANT, [ONE, two, three, gone], POLICY, START, factors=factors).claims
    assert found["people"] == 3
    assert (found["peopleWithPasskey"], found["peopleWithTotpOnly"], found["peopleWithoutSecondFactor"]) == (1, 1, 1)


def test_names_are_in_the_side_record_only():
    draft = access_register(TENANT, [ONE], POLICY, START)
    assert "Ada" not in repr(draft.claims) + repr(draft.subjects)
    assert draft.details["people"][0]["name"] == "Ada"


def test_unprotected_and_old_keys_are_counted():
    custody = Custody("file-plain", "exported", "none", ("file-plain", "file-passphrase"), START)
    found = key_lifecycle(TENANT, custody, START + KEY_LIFE).claims
    assert (found["unprotected"], found["pastRotation"], found["rootCustody"]) == (2, 0, "exported")
    assert key_lifecycle(TENANT, custody, START + KEY_LIFE + TICK).claims["pastRotation"] == 1


def test_a_revocation_names_the_key_and_no_person():
    draft = key_revoked(ONE.key, reason="left", at=START)
    assert draft.claims == {"keyId": ONE.key, "reason": "left", "at": "2026-11-22T09:00:00.000Z"}
    assert not draft.details
