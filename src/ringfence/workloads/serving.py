"""The wires of the gateway's control side: rows, the gateway's folder, engines, and the process that serves."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ringfence.gateway.keyring import ACCESS, AccessCounts, CredentialFiles, GatewayFolder, Grounds, MarkFile
from ringfence.gateway.keyring import SignedSnapshots as Snapshots
from ringfence.gateway.publishing import Publishing
from ringfence.gateway.service import Gateway
from ringfence.gateway.store import DeploymentRows, KeyRows
from ringfence.gateway.worker import Place, Supervisor
from ringfence.installation import Home
from ringfence.kernel.clock import Clock
from ringfence.kernel.identifier import Tenant
from ringfence.storage.database import Database
from ringfence.storage.journal import EmergencyJournal
from ringfence.storage.outbox import Outbox
from ringfence.storage.signer import Ed25519Signer
from ringfence.workloads.probing import HttpEngines

FOLDER = "gateway"


@dataclass(frozen=True, slots=True)
class Serving:
    """What front ends, loops and `up` call."""

    gateway: Gateway
    counts: AccessCounts
    grounds: Grounds
    home: Home

    def turn(self) -> None:
        """Settle what waits, and confirm keys and routes to the gateway: it refuses once they are too old."""
        try:
            self.gateway.settle()
        finally:  # also while the database is away: what was cut off is told from the marks
            self.gateway.publish()

    def supervisor(self, port: int, environment: Mapping[str, str]) -> Supervisor:
        """Return who keeps the gateway's process running, not started."""
        place = Place(self.grounds.folder.path, self.home.path / "gateway.log", port, environment)
        return Supervisor(place, self.grounds.prepare)


def serving(
    home: Home,
    control: Ed25519Signer,
    database: Database,
    outbox: Outbox,
    journal: EmergencyJournal,
    confirm: Callable[[], None],
    clock: Clock,
    demo: frozenset[Tenant],
) -> Serving:
    """Join ports and adapters."""
    folder = GatewayFolder(home.path / FOLDER)
    public = control.public_key
    publishing = Publishing(
        keys=KeyRows(database),
        deployments=DeploymentRows(database),
        file=Snapshots(folder, home.path / "gateway.lock", control.private.sign, public),
        marks=MarkFile(home.path / "journal" / "key_marks"),
        clock=clock,
        confirm=confirm,
    )
    gateway = Gateway(
        publishing=publishing,
        credentials=CredentialFiles(folder),
        engines=HttpEngines(),
        recorder=outbox,
        emergency=journal,
        transaction=database.transaction,
        clock=clock,
        random=secrets.token_bytes,
    )
    return Serving(gateway, AccessCounts(folder.path / ACCESS), Grounds(folder, public, home.log, demo), home)
