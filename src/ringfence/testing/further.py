"""Much of what `everything` has one of, and what happened to it, so that every number of a page is shown once.

files(home.path)                            # what an installation reads as it opens
...
places = further(stage, everything(stage))  # where else numbers stand, by route
"""

from pathlib import Path

from ringfence.artifacts.models import oms
from ringfence.artifacts.models import statements as models
from ringfence.artifacts.models.model import ModelId, ModelName
from ringfence.artifacts.models.statements import About, Signature
from ringfence.customers.model import CustomerId, Occasion, ThingKind
from ringfence.customers.model import Wanted as Contract
from ringfence.customers.questions import Pointer, Question
from ringfence.gateway.keyring import ACCESS
from ringfence.gateway.keys import Wanted
from ringfence.governance.resolutions.model import MEASURES, Attached, Proposal
from ringfence.governance.resolutions.statements import OPENED
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.redteam import statements as runs
from ringfence.retention.erasing import Asked
from ringfence.testing import accesses, choices, redteam
from ringfence.testing.anchors import witness_keys
from ringfence.testing.customers import packed, sealed
from ringfence.testing.everything import MARK
from ringfence.testing.home import TENANT, signed
from ringfence.testing.models import key
from ringfence.testing.staged import TAKEN, Stage

MANY = 9  # one more than a page lists
SET_ASIDE = "SEC-10"
PERIODS = "days: {details-access: 1}\n"  # over within the staged week
MANIFEST = oms.manifest_of(MARK, {"weights": Digest.of(b"1")})


def files(home: Path) -> None:
    """Write a period and an override of the team's own."""
    (home / "retention.yaml").write_text(PERIODS)
    choices.override(home, choices.ASIDE)


def further(stage: Stage, found: dict[str, str]) -> dict[str, str]:
    """Let more happen; return further addresses, each with the route that it is of."""
    for number in range(MANY):
        sealed(stage.home, stage.services, f"many-{number}")
    _model(stage)
    _witness(stage)
    _run(stage)
    _calls(stage, found)
    choices.set_aside(stage.services, stage.home, SET_ASIDE)
    _customer(stage, CustomerId(found["customers"]))
    _put(stage, "paper")
    erased = _put(stage, "gone")
    _erase_opening(stage)
    incident = _many_findings(stage)
    stage.services.ledger.integrate()
    ticked = "decision=significant&reason=why"
    return {
        f"/decisions/{erased}": "/decisions/{resolution}",
        f"/incidents/{incident}?{ticked}": "/incidents/{incident}",
        "/frameworks/owasp_llm_2026?against=atlas": "/frameworks/{framework}",
        "/obligations?state=pending": "/obligations",
        "/obligations?act=GDPR&state=none": "/obligations",
    }


def _model(stage: Stage) -> None:
    about = About(ModelId("0" * 32), ModelName(MARK), MANIFEST.digest)
    draft = models.signed(about, Signature(MANIFEST, 1, Digest.of(b"bundle"), key().public, "file-plain"))
    posted = signed(stage.services, stage.home.people[Role.ENGINEER], draft)
    files = {one.name: one.digest.hex for one in MANIFEST.files}
    stage.services.models.state(stage.home.actor(Role.ENGINEER), models.SIGNED, *posted, files=files)


def _witness(stage: Stage) -> None:
    configuring, keys = stage.services.anchored.configuring, [str(key.public) for key in witness_keys()]
    configuring.add_witness(stage.home.actor(), "http://127.0.0.1:9/", keys, "Auditor GmbH")
    configuring.set_quorum(stage.home.actor(), 1)


def _run(stage: Stage) -> None:
    """State what a run found, past the outbox's own check: what was signed just before is missing, a gap."""
    by = stage.home.people[Role.SECURITY]
    place = stage.services.outbox.next_sequence(TENANT, by.signer.key)
    posted = signed(stage.services, by, runs.run(*redteam.found(number=40)), sequence=place + 1)
    with stage.services.database.transaction():
        stage.services.outbox.append(*posted)


def _calls(stage: Stage, found: dict[str, str]) -> None:
    """Let a key call a deployment, once in vain, and block another key."""
    gateway = stage.services.serving.gateway
    blocked = gateway.issue_key(stage.home.actor(Role.ENGINEER), Wanted("blocked", ()))
    gateway.block_key(TENANT, blocked.key.id, because="it was on a public page")
    of = {"tenant": TENANT, "key": found["api-keys"], "deployment": found["deployments"]}
    lines = (accesses.access(stage.clock.now(), **of, **how) for how in ({}, {"status": 503}))
    (stage.home.path / "gateway" / ACCESS).write_text("".join(f"{line}\n" for line in lines))


def _customer(stage: Stage, name: CustomerId) -> None:
    """Agree on hours with a customer, let a node be theirs, tell and answer them, and make them a pack."""
    customers, by = stage.services.customers, stage.home.actor()
    hours = {Occasion.BREACH: 24, Occasion.SUBPROCESSOR: 48}
    customers.change(by, name, Contract(MARK, hours=hours, things={ThingKind.NODE: ("gateway",)}))
    customers.announce(by, "A carrier", (name,))
    asked = (Question("1", "Are backups encrypted?", Pointer(("DAT-01",))), Question("2", "And who is Ada?", Pointer()))
    customers.answer(by, name, asked, "questions.csv")
    stage.services.ledger.integrate()
    packed(stage.home, stage.services, name)


def _put(stage: Stage, title: str) -> str:
    """Put a resolution with a document to the body; return its id."""
    salt = b"s" * 32
    paper = Attached(f"{title}.pdf", salt, Digest.of(salt + title.encode()))
    wanted = stage.services.governing.propose(stage.home.actor(), Proposal(MEASURES, title, title, files=(paper,)))
    posted = signed(stage.services, stage.home.people[Role.OWNER], wanted)
    return str(stage.services.governing.open(stage.home.actor(), *posted).id)


def _erase_opening(stage: Stage) -> None:
    """Erase what the resolution that was put last was called."""
    stage.services.ledger.integrate()
    last = stage.services.ledger.statements(TENANT, (OPENED,))[-1].envelope.digest
    stage.services.retention.erasing.erase(stage.home.actor(), Asked(statement=str(last), because="Article 17"))


def _many_findings(stage: Stage) -> str:
    """Let more be found on a node than an incident names; return the incident."""
    node = stage.services.cutoff.compute.node(TENANT, "gateway")
    for number in range(MANY):
        stage.see(TAKEN, node, f"203.0.113.{number}")
    return str(stage.incidents["undecided"])
