"""The wires between the gateway's segments and the log: who may close a segment, and where the log has it."""

from collections.abc import Iterable
from dataclasses import dataclass

from ringfence.gateway.blobs import ReceiptFiles, ReceiptIndex, SegmentFiles
from ringfence.gateway.intake import Intake
from ringfence.gateway.segment import SEGMENT
from ringfence.installation import Home
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import InternalError, Refused
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import KeyId, Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.ledger.service import Ledger
from ringfence.reports.logpart import log_part
from ringfence.storage.outbox import Outbox
from ringfence.workloads.serving import FOLDER as GATEWAY


@dataclass(frozen=True, slots=True)
class Receiving:
    """What the control plane does with the gateway's segments."""

    intake: Intake
    receipts: ReceiptFiles


@dataclass(frozen=True, slots=True)
class SegmentGate:
    """Take a closed segment by a gateway's key, and nothing else by it."""

    ledger: Ledger
    outbox: Outbox
    clock: Clock

    def admit(self, envelope: Envelope) -> Acknowledgement:
        """Sequence a segment; raise `Refused` or `VerificationFailed` where its key may not close it."""
        statement = envelope.statement
        standing, issuer = self.ledger.issuers(statement.issuance.tenant).at(envelope.signer, self.clock.now())
        if issuer is None or standing is not Standing.TRUSTED:
            raise Refused(f"the key {envelope.signer[:16]}… is {standing}; segments by it are not taken")
        if issuer.role is not KeyRole.GATEWAY or statement.predicate != SEGMENT:
            raise Refused(f"a key with the role {issuer.role} does not state {statement.predicate} here")
        issuer.verify(envelope)
        with self.ledger.publishable():
            return self.outbox.admit_spooled(envelope)

    def prove(self, tenant: Tenant, envelope: Digest) -> bytes:
        """Return where the log has a segment, once it is published."""
        entry = self.ledger.published(envelope).entry
        found = self.ledger.page(tenant, before=entry + 1, limit=1) if entry is not None else []
        if not found or found[0].envelope.digest != envelope:
            raise InternalError("the log does not return the segment that it published")
        return log_part(self.ledger, tenant, found[0])


def receiving(home: Home, ledger: Ledger, outbox: Outbox, clock: Clock) -> Receiving:
    """Join the gateway's folder and the log."""
    folder = home.path / GATEWAY
    files = SegmentFiles(folder)
    gate = SegmentGate(ledger, outbox, clock)
    index = ReceiptIndex(folder / "index")
    return Receiving(Intake(files, gate.admit, gate.prove, clock), ReceiptFiles(files, index, _not_here))


def check_folder(home: Home, outbox: Outbox, key: KeyId, tenants: Iterable[Tenant]) -> None:
    """Raise `Refused` where the log has newer segments of a gateway's key than the folder of the gateway.

    It is a copy, then, or older than the database: what it would close next, the log would have to refuse for ever.
    """
    files = SegmentFiles(home.path / GATEWAY)
    for tenant in tenants:
        number = files.last(tenant)
        newest = files.envelope(tenant, number) if number else None
        closed = newest.statement.issuance.sequence if newest is not None and newest.signer == key else 0
        if closed < (logged := outbox.next_sequence(tenant, key) - 1):
            raise Refused(
                f"the log has {logged} segments of this gateway for {tenant}, and its folder {closed}: the folder is a "
                "copy, or older than the log; docs/how-to/back-up-and-restore.md says how to go on"
            )


def _not_here(tenant: Tenant, request: str) -> bool:
    """Say no: what the gateway's journal still holds is known to the gateway alone."""
    del tenant, request
    return False
