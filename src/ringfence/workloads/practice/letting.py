"""Let a passkey sign in a practice: its owner's key lies in the ground itself, and signs at the press of a button.

Elsewhere a person signs this with a key of their own, in a terminal; here everything is made up, the person too.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from ringfence.frontends.client import operator_keys
from ringfence.identity.acting.enrolling import Enrolling
from ringfence.identity.acting.ports import Issuing
from ringfence.kernel.actor import Person
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.statement import Issuance
from ringfence.settings import Settings
from ringfence.storage.tokensigner import signer_in
from ringfence.workloads.practice import ground


@dataclass(frozen=True, slots=True)
class Letting:
    """The use case."""

    home: Path
    enrolling: Enrolling
    issuing: Issuing

    def __call__(self, person: Person, passkey: str) -> Acknowledgement:
        """Enrol a passkey of this very person for signing, by the key in their file; raise `Refused` elsewhere."""
        ground.check_practising(self.home)
        draft = self.enrolling.draft(person, passkey)
        signer = signer_in(operator_keys(Settings(self.home, operator=person.id)), "signing")
        nonce = secrets.token_hex(16)
        issuance = Issuance(
            tenant=person.tenant,
            log=self.issuing.log,
            issuer=signer.key,
            strength=draft.strength,
            sequence=self.issuing.next_sequence(person.tenant, signer.key),
            nonce=nonce,
            idempotency_key=nonce,
            issued_at=self.enrolling.clock.now(),
            demo=self.issuing.is_demo(person.tenant),
        )
        return self.enrolling.enrol(person, passkey, signer.sign(draft.issued(issuance, None)))
