"""One role's view of the signer: what the outbox, the emergency journal, the ledger and the gateway ask for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.kernel.envelope import Envelope, assemble, key_id_of
from ringfence.kernel.errors import InternalError
from ringfence.kernel.identifier import KeyId
from ringfence.kernel.statement import KeyRole, Statement, to_payload

if TYPE_CHECKING:
    from ringfence.signing.ports import Signer


@dataclass(frozen=True, slots=True)
class RoleSigner:
    """`storage.outbox.StatementSigner` for one role."""

    signer: "Signer"
    role: KeyRole

    @property
    def public_key(self) -> bytes:
        """Return the raw public key."""
        return self.signer.public().of(self.role)

    @property
    def key(self) -> KeyId:
        """Return the id of the key."""
        return key_id_of(self.public_key)

    def sign(self, statement: Statement) -> Envelope:
        """Sign a statement that names this key as its issuer."""
        if statement.issuance.issuer != self.key:
            raise InternalError("a statement was given to a key that it does not name as its issuer")
        payload = to_payload(statement)
        return assemble(payload, self.key, self.signer.state(self.role, payload))
