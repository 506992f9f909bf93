"""What pages about standing show, made up: assets, bounds of attacks, and what people say beside a control."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ringfence.identity.reviews.model import Decision
from ringfence.identity.reviews.statements import decided
from ringfence.kernel.actor import Person, Role
from ringfence.obligations.threats.ports import Asset, Bound
from ringfence.obligations.threats.register import AssetKind
from ringfence.reports.service import draft_of
from ringfence.services import Services
from ringfence.testing.console import LabConsole, sample
from ringfence.testing.home import TENANT, LabHome, signed

OPINION = "in force. An auditor qualifies “satisfied” (examine, 3 entries): labels were not sampled"
EXPIRED = "expired. Exception asked for by person-000000000001, approved by nobody: the vendor delivers later"


@dataclass(frozen=True, slots=True)
class Said:
    """`obligations.ports.Remark`, made up."""

    kind: str
    text: str
    link: str
    until: datetime | None = None


def telling(*, demo: bool = False) -> LabConsole:
    """Tell the sample week of a team that holds things, attacked one of them, and was looked at by an auditor."""
    lab = sample(demo=demo)
    lab.held += [
        Asset(AssetKind.DATASET, "chest-scans-2026", "/evidence?subject=dataset/4c1f09ab"),
        Asset(AssetKind.DATASET, "labels", "/evidence?subject=dataset/77e0d3c2"),
        Asset(AssetKind.MODEL, "triage", "/models"),
        Asset(AssetKind.ENDPOINT, "triage-api", "/deployments"),
        *(Asset(AssetKind.NODE, f"gpu-{number}", f"/nodes/gpu-{number}") for number in range(6)),
    ]
    lab.measured += [
        Bound("direct-override", "ASR ≤ 0.76 % (95 %, n=500; 500 of 500 valid, gate)", "satisfied", 12),
        Bound("indirect-mail", "ASR ≥ 6.10 % (95 %, n=75; 75 of 75 valid, smoke)", "not-satisfied", 12),
        Bound("own-family", "no bound (95 %, n=0; 0 of 9 valid, smoke)", "pending", 12),
    ]
    now = lab.now()
    lab.remarks["DAT-01"] = [
        Said("opinion", OPINION, "/exceptions#opinion-1", now + timedelta(days=90)),
        Said("exception", EXPIRED, "/exceptions#exception-1", now - timedelta(days=2)),
    ]
    return lab


def handed_out(services: Services, home: LabHome) -> bytes:
    """Make a pack of everything, signed by the owner; return it."""
    preview = services.packs.preview(TENANT)
    envelope, opening = signed(services, home.people[Role.OWNER], draft_of(preview.to_json()))
    return services.packs.issue(envelope, opening, by=home.actor())


def waiting_for(services: Services, home: LabHome, role: Role) -> Person:
    """Begin a review, and prepare a decision that one person has not signed yet; return that person."""
    person = home.actor(role)
    review = services.access.reviews.start(home.actor(), 14)
    subject = home.actor(Role.ENGINEER).id
    services.acting.desk.prepare(person, decided(review.id, subject, Decision.CONFIRMED), review.id)
    return person
