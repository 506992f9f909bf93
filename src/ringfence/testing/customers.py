"""Two customers of one installation with things of their own, and packs for them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ringfence.artifacts import statements as datasets
from ringfence.artifacts.model import Custody, DatasetName
from ringfence.customers import statements
from ringfence.customers.model import CustomerId, Handed, Occasion, Regime, ThingKind, Wanted
from ringfence.gateway.deployments import Attach
from ringfence.gateway.model import DeploymentName
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.services import Services
from ringfence.testing.artifacts import sealed_in_memory
from ringfence.testing.callers import World
from ringfence.testing.home import TENANT, LabHome, signed
from ringfence.testing.ledger import PERSON, LabLog
from ringfence.testing.ledger import TENANT as LAB

HOSPITAL = Wanted(
    name="St. Example Hospital",
    regimes=(Regime.ESSENTIAL, Regime.GDPR),
    country="DE",
    hours={Occasion.INCIDENT: 6},
    clauses=("ir2690-5.1.4.d", "gdpr-28.3"),
    things={ThingKind.DATASET: ("scans",), ThingKind.DEPLOYMENT: ("triage",)},
    reference="C-2026-7",
)
BANK = Wanted(
    name="Sample Bank",
    regimes=(Regime.DORA,),
    country="FR",
    clauses=("dora-30.2",),
    things={ThingKind.DATASET: ("ledgers",), ThingKind.DEPLOYMENT: ("scoring",)},
)


A, B = CustomerId("customer-aaaaaaaaaaaa"), CustomerId("customer-bbbbbbbbbbbb")
OWNER = Person(PERSON, LAB, Role.OWNER)
WANTED = Wanted(
    name="St. Example",
    regimes=(Regime.ESSENTIAL,),
    country="DE",
    hours={Occasion.INCIDENT: 6},
    clauses=("ir2690-5.1.4.d",),
    reference="C-1",
)
OTHER = Wanted(name="Sample Bank", regimes=(Regime.DORA,))


def lab(**changes: Any) -> LabLog:
    """Return a log in memory in which A and B are entered, each with things of its own."""
    made = LabLog(**changes)
    first = statements.registered(A, WANTED, ("dataset/d1", "deployment/chat", "node/n-00000001"), OWNER)
    made.state_draft(first, by="control")
    made.state_draft(statements.registered(B, OTHER, ("dataset/d2", "deployment/score"), OWNER), by="control")
    return made


@dataclass(frozen=True, slots=True)
class Two:
    """Two customers, and the ids of their datasets."""

    hospital: CustomerId
    bank: CustomerId
    datasets: Mapping[str, str]


def two(home: LabHome, services: Services) -> Two:
    """Seal and attach what is theirs, state things about both, and enter them."""
    found = {name: sealed(home, services, name) for name in ("scans", "ledgers", "nobodys")}
    for name in ("triage", "scoring"):
        attached(home, services, name)
    (hospital, _), (bank, _) = services.customers.add_all(home.actor(), [HOSPITAL, BANK])
    return Two(hospital, bank, found)


def sealed(home: LabHome, services: Services, name: str) -> str:
    """Seal a dataset in memory; return its id."""
    made = sealed_in_memory({name: name.encode()}, dataset=Digest.of(name.encode()).hex[:32])
    draft = datasets.sealed(made.seal, made.digest, Custody.EXTERNAL, DatasetName(name))
    posted = signed(services, home.people[Role.ENGINEER], draft)
    services.artifacts.seal(home.actor(Role.ENGINEER), DatasetName(name), *posted)
    return str(made.seal.dataset)


def attached(home: LabHome, services: Services, name: str) -> None:
    """Attach a deployment."""
    gateway = replace(services.serving.gateway, engines=World())
    gateway.attach(home.actor(Role.ENGINEER), Attach(DeploymentName(name), "http://127.0.0.1:9/v1"))


def stated(services: Services, predicate: str, subject: str, claims: Mapping[str, Any]) -> int:
    """State something as the control plane does; return its entry."""
    draft = Draft(
        PredicateName(predicate), (Subject(subject, Digest.of(subject.encode())),), dict(claims), Strength.OBSERVED
    )
    with services.database.transaction():
        done = services.outbox.record(draft, tenant=TENANT)
    services.ledger.integrate()
    entry = services.ledger.entry_of(done.envelope)
    assert entry is not None
    return entry


def packed(home: LabHome, services: Services, name: CustomerId) -> tuple[Handed, bytes]:
    """Make a pack for a customer, signed by the owner."""
    _, draft = services.customers.draft(TENANT, name)
    return services.customers.pack(home.actor(), name, *signed(services, home.people[Role.OWNER], draft))
