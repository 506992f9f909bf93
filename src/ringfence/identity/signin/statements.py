"""What is stated about ways in: no name, no address, nothing that opens anything. Pure."""

import base64
from datetime import datetime

from ringfence.identity.signin import lockout
from ringfence.identity.signin.model import Attempts, Owner, Passkey
from ringfence.kernel import assertion
from ringfence.kernel.actor import Level
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PersonId, PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject

PASSKEY_REFUSED = PredicateName("passkey.refused")


def passkey_enrolled(passkey: Passkey, *, basis: Level, passkeys: int) -> Draft:
    """State that a passkey opens the console for a person; `basis` is how they were recognised at the time."""
    claims = {
        "person": passkey.owner.person,
        "credential": passkey.id,
        "algorithm": assertion.ALGORITHM,
        "publicKey": base64.b64encode(passkey.public_key).decode(),
        "rpId": passkey.site.rp_id,
        "origin": passkey.site.origin,
        "enrolledBy": passkey.enrolled_by,
        "basis": basis.value,
        "backedUp": passkey.backed_up,
        "passkeys": passkeys,
    }
    return Draft(PredicateName("passkey.enrolled"), (_of_passkey(passkey),), claims, Strength.OBSERVED)


def passkey_removed(passkey: Passkey, *, by: PersonId, reason: str, passkeys: int) -> Draft:
    """State that a passkey opens nothing any more."""
    claims = {
        "person": passkey.owner.person,
        "credential": passkey.id,
        "removedBy": by,
        "reason": reason,
        "passkeys": passkeys,
    }
    return Draft(PredicateName("passkey.removed"), (_of_passkey(passkey),), claims, Strength.OBSERVED)


def passkey_refused(passkey: Passkey, *, counter: int, at: datetime) -> Draft:
    """State that a passkey counted backwards: there may be two of it. Once an hour, whatever its holder tries."""
    claims = {
        "person": passkey.owner.person,
        "credential": passkey.id,
        "because": "counter",
        "counter": counter,
        "lastCounter": passkey.sign_count,
    }
    return Draft(
        PASSKEY_REFUSED,
        (_of_passkey(passkey),),
        claims,
        Strength.OBSERVED,
        idempotency_key=f"passkey-refused/{passkey.id}/{hour(at)}",
    )


def person_locked(owner: Owner, attempts: Attempts) -> Draft:
    """State that somebody guesses at a person's passphrase and codes, and has to wait by now."""
    delay = lockout.PERSON.delay(attempts.failures)
    claims = {"person": owner.person, "failures": attempts.failures, "waitSeconds": int(delay.total_seconds())}
    return Draft(
        PredicateName("person.locked"),
        (_of_person(owner),),
        claims,
        Strength.OBSERVED,
        idempotency_key=f"person-locked/{owner.person}/{hour(attempts.last_at)}",
    )


def totp_enrolled(owner: Owner) -> Draft:
    """State that a passphrase with a code opens the console for a person."""
    return Draft(PredicateName("totp.enrolled"), (_of_person(owner),), {"person": owner.person}, Strength.OBSERVED)


def totp_removed(owner: Owner, *, by: PersonId) -> Draft:
    """State that the passphrase and the codes open nothing any more."""
    claims = {"person": owner.person, "removedBy": by}
    return Draft(PredicateName("totp.removed"), (_of_person(owner),), claims, Strength.OBSERVED)


def recovery_issued(owner: Owner, *, codes: int) -> Draft:
    """State that a person took new recovery codes; older ones are void."""
    claims = {"person": owner.person, "codes": codes}
    return Draft(PredicateName("recovery.issued"), (_of_person(owner),), claims, Strength.OBSERVED)


def recovery_used(owner: Owner, *, left: int) -> Draft:
    """State that a recovery code was used: every session of the person has ended."""
    claims = {"person": owner.person, "left": left}
    return Draft(PredicateName("recovery.used"), (_of_person(owner),), claims, Strength.OBSERVED)


def _of_passkey(passkey: Passkey) -> Subject:
    return Subject(f"passkey/{passkey.id[:16]}", Digest.of(passkey.credential))


def _of_person(owner: Owner) -> Subject:
    return Subject(f"person/{owner.person}", Digest.of(f"{owner.tenant}\n{owner.person}".encode()))


def hour(at: datetime) -> str:
    """Return which hour it is: what strangers can bring about is stated once in it, whatever they try."""
    return at.strftime("%Y-%m-%dT%H")
