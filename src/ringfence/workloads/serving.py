"""The wires of the gateway's control side: rows, the gateway's folder, engines, and the process that serves."""

import secrets
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ringfence.gateway import snapshot
from ringfence.gateway.intake import Intake
from ringfence.gateway.keyring import ACCESS, AccessCounts, CredentialFiles, GatewayFolder, Grounds, MarkFile
from ringfence.gateway.keyring import SignedSnapshots as Snapshots
from ringfence.gateway.model import DeploymentName
from ringfence.gateway.publishing import Publishing
from ringfence.gateway.pulse import Pulse
from ringfence.gateway.service import Gateway
from ringfence.gateway.store import DeploymentRows, KeyRows
from ringfence.gateway.worker import Place, Supervisor
from ringfence.installation import Home
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import RingfenceError, Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.signing.roles import RoleSigner
from ringfence.storage.database import Database
from ringfence.storage.files import read_private
from ringfence.storage.journal import EmergencyJournal
from ringfence.storage.outbox import Outbox
from ringfence.workloads.faults import GatewayFaults
from ringfence.workloads.probing import HttpEngines

FOLDER = "gateway"
SETTINGS = "gateway.json"


@dataclass(frozen=True, slots=True)
class Serving:
    """What front ends, loops and `up` call."""

    gateway: Gateway
    counts: AccessCounts
    grounds: Grounds
    home: Home
    pulse: Pulse

    def turn_when_due(self) -> None:
        """Take a turn, where the last one was long enough ago for how long keys and routes live."""
        if self.gateway.publishing.due():
            self.turn()

    def turn(self) -> None:
        """Settle what waits, and confirm keys and routes to the gateway: it refuses once they are too old."""
        try:
            self.gateway.settle()
        finally:  # also while the database is away: what was cut off is told from the marks
            self.gateway.publish()

    def faults(self, intake: Intake) -> GatewayFaults:
        """Return who says what of the gateway does not work."""
        return GatewayFaults(self.pulse, self.gateway.publishing.confirmation, intake, self.pulse.clock)

    def supervisor(self, port: int, environment: Mapping[str, str]) -> Supervisor:
        """Return who keeps the gateway's process running, not started."""
        place = Place(self.grounds.folder.path, self.home.path / "gateway.log", port, environment)
        return Supervisor(place, self.grounds.prepare)


def serving(
    home: Home,
    control: RoleSigner,
    database: Database,
    outbox: Outbox,
    journal: EmergencyJournal,
    confirm: Callable[[], None],
    clock: Clock,
    demo: AbstractSet[Tenant],
    admit_attached: Callable[[Person, DeploymentName, Digest | None], None],
) -> Serving:
    """Join ports and adapters."""
    folder = GatewayFolder(home.path / FOLDER)
    public = control.public_key
    publishing = Publishing(
        keys=KeyRows(database),
        deployments=DeploymentRows(database),
        file=Snapshots(folder, home.path / "gateway.lock", control.signer.snapshot, public),
        marks=MarkFile(home.path / "journal" / "key_marks"),
        clock=clock,
        confirm=confirm,
        life=lambda: life(home.path / SETTINGS),
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
        admit_attached=admit_attached,
    )
    return Serving(
        gateway, AccessCounts(folder.path / ACCESS), Grounds(folder, public, home.log, demo), home, Pulse(clock)
    )


def life(path: Path) -> timedelta:
    """Return for how long keys and routes are good, as the home says.

    Raises:
        Unavailable: it does not say it as it should; then nothing gets a new life.
    """
    if not path.exists():
        return snapshot.LIFE
    try:
        return snapshot.life_in(read_private(path), source=path.name)
    except RingfenceError as error:
        raise Unavailable(f"for how long keys and routes are good is not known: {error}") from error
