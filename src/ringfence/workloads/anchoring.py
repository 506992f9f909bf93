"""The wires of anchoring: rows, the network, and the home's own trust file."""

import secrets
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from ringfence.installation import Home
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import NotFound
from ringfence.kernel.identifier import Tenant
from ringfence.ledger import trust
from ringfence.ledger.anchoring.configuring import Configuring
from ringfence.ledger.anchoring.model import AskedAuthority, AskedWitness
from ringfence.ledger.anchoring.remote import HttpAnchors
from ringfence.ledger.anchoring.service import WITNESS_CONFLICT, Anchoring
from ringfence.ledger.anchoring.store import AnchorTables
from ringfence.ledger.model import LoggedStatement, Trust
from ringfence.ledger.service import Ledger
from ringfence.soc import faults
from ringfence.soc.faults import Fault
from ringfence.storage.database import Database
from ringfence.storage.files import read_bounded, write_whole
from ringfence.storage.outbox import Outbox

TRUST_FILE = "trust.json"


@dataclass(frozen=True, slots=True)
class HomeTrust:
    """`TrustKeeper` over the trust file in the home; the heads in it stay."""

    home: Home
    own: Trust

    def keep(self, witnesses: Sequence[AskedWitness], authorities: Sequence[AskedAuthority], quorum: int) -> None:
        """Name them in the trust file."""
        path = self.home.path / TRUST_FILE
        try:
            known = trust.parse(read_bounded(path, limit=trust.MAX_TRUST), source=str(path))
        except NotFound:
            known = self.own
        named = replace(
            known,
            witnesses=tuple(each for asked in witnesses for each in asked.trusted),
            authorities=tuple(asked.trusted for asked in authorities),
            quorum=quorum,
        )
        write_whole(path, trust.to_text(named).encode())


@dataclass(frozen=True, slots=True)
class Anchored:
    """What front ends and loops call."""

    service: Anchoring
    configuring: Configuring


@dataclass(frozen=True, slots=True)
class Conflicts:
    """`soc.ports.Faults` over what witnesses say: a conflict that was stated, until the witness cosigns again."""

    ledger: Ledger
    rows: AnchorTables
    tenant: Tenant

    def __call__(self) -> list[Fault]:
        """Return the conflicts that last."""
        troubled = {each.name for each in self.rows.witnesses() if each.active and each.progress.trouble}
        if not troubled:
            return []
        stated = self.ledger.statements(self.tenant, [WITNESS_CONFLICT])
        return [fault for logged in stated if (fault := _fault(logged, self.tenant, troubled))]


def _fault(logged: LoggedStatement, tenant: Tenant, troubled: AbstractSet[str]) -> Fault | None:
    claims = logged.envelope.statement.claims
    witness, kind, size = claims["witness"], claims["kind"], claims["witnessSize"]
    if witness not in troubled:
        return None
    because = f"the witness {witness} holds a head of {size} entries that this log does not lead to ({kind})"
    return Fault(faults.WITNESS_CONFLICT, tenant, f"{witness} {kind} {size}", logged.recorded_at, because)


def anchoring(home: Home, database: Database, ledger: Ledger, outbox: Outbox, clock: Clock) -> Anchored:
    """Join ports and adapters."""
    rows, own = AnchorTables(database), ledger.trusted()
    transaction: Callable[[], AbstractContextManager[None]] = database.transaction
    service = Anchoring(ledger, rows, HttpAnchors(), outbox, transaction, clock, secrets.token_bytes, own, home.tenant)
    configuring = Configuring(rows, outbox, ledger, ledger.publishable, HomeTrust(home, own), own, home.tenant)
    return Anchored(service, configuring)
