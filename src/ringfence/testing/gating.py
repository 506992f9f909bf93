"""Models before the gate, over the real services of an installation: everything that its conditions ask for, stated.

lab = GateLab(services, home)
lab.everything()          # the model `tiny` passes; leave something out with `but={"scan"}`
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ringfence.artifacts.models import oms
from ringfence.artifacts.models import statements as models
from ringfence.artifacts.models.model import Manifest, ModelId, ModelName
from ringfence.artifacts.models.statements import About, Signature
from ringfence.enrolment import NewPerson, operator_enrolled
from ringfence.identity.service import hashed
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.evidence import Acknowledgement
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.services import Services
from ringfence.storage import keyfile
from ringfence.testing.home import TENANT, LabHome, signed
from ringfence.testing.models import key, report
from ringfence.workloads.gating.model import Mode
from ringfence.workloads.gating.service import Gates
from ringfence.workloads.intake import statements as intake
from ringfence.workloads.intake.model import Intake, Source, Told

FILES: Mapping[str, bytes] = {"model.txt": b"plain words"}
MODEL = ModelId("a" * 32)
EPOCH = {"dataset": "d" * 32, "epoch": 1}
FAMILY: Mapping[str, Any] = {
    "planned": 400, "valid": 400, "successes": 1, "cases": 400, "attacks": 20, "lowerPpm": 100, "upperPpm": 9_000,
    "verdict": "pass", "label": "gate", "asrPpm": 2_500,
}  # fmt: skip
BOM: Mapping[str, Any] = {
    "generatedOn": "2026-11-20", "format": "cyclonedx-1.7", "bom": str(Digest.of(b"bom")), "validator": "cyclonedx",
    "validatorVersion": "11", "schemaErrors": 0, "danglingReferences": 0, "holds": ["model-files"], "modelFiles": 1,
    "filesMatched": 1, "datasets": 1, "datasetsUnsealed": 0, "basesUndigested": 0, "withoutLicence": 0,
}  # fmt: skip


def manifest(files: Mapping[str, bytes] = FILES) -> Manifest:
    """Return the manifest of files by name."""
    return oms.manifest_of("tiny", {name: Digest.of(data) for name, data in files.items()})


@dataclass
class GateLab:
    """An installation, and one model in it."""

    services: Services
    home: LabHome
    files: Mapping[str, bytes] = field(default_factory=lambda: FILES)
    name: str = "tiny"

    @property
    def gates(self) -> Gates:
        """Return the gate."""
        return self.services.gates

    @property
    def digest(self) -> Digest:
        """Return by what statements name the model."""
        return manifest(self.files).digest

    def say(self, draft: Draft, role: Role = Role.ENGINEER) -> Acknowledgement:
        """Let a person state something, past the routes but not past the outbox's gate."""
        envelope, opening = signed(self.services, self.home.people[role], draft)
        with self.services.ledger.publishable():
            done = self.services.outbox.admit(envelope, opening, by=self.home.actor(role))
        return self.services.ledger.published(done.envelope)

    def everything(self, but: Collection[str] = ()) -> None:
        """State what each condition asks for, and leave out some."""
        for name in ("data", "lineage", "signed", "scan", "redteam", "bom", "approval"):
            if name not in but:
                getattr(self, name)()

    def data(self) -> None:
        """Seal a dataset."""
        claims = EPOCH | {
            "suite": "AES-256-GCM-HKDF-SHA-256", "chunkSize": 1048576, "objects": 1, "bytes": 1,
            "ciphertextRoot": str(Digest.of(b"c")), "plaintextRoot": str(Digest.of(b"p")), "keyCommitment": "0" * 64,
            "keyCustody": "file-plain",
        }  # fmt: skip
        self.say(observed("dataset.sealed", claims, "dataset/" + "d" * 32, Digest.of(b"seal")))

    def lineage(self, **changes: Any) -> None:
        """Run something on the dataset that leaves the model."""
        claims = {
            "run": "1" * 32, "inputs": [EPOCH | {"seal": str(Digest.of(b"seal"))}], "outcome": "completed",
            "code": "git", "codeChanged": False, "outputsSkipped": 0, "models": [],
        }  # fmt: skip
        subjects = (Subject("run/" + "1" * 32, Digest.of(b"run")), Subject("outputs/" + "1" * 32, self.digest))
        self.say(Draft(PredicateName("run.manifest"), subjects, claims | changes, Strength.OBSERVED))

    def signed(self, role: Role = Role.ENGINEER) -> None:
        """Sign the model."""
        made = Signature(manifest(self.files), 11, Digest.of(b"bundle"), key().public, "file-plain")
        self.state(models.signed(self._about, made), role)

    def scan(self, files: Mapping[str, bytes] | None = None) -> None:
        """State a scan; of other files than the model's own where a hostile one is wanted."""
        self.state(models.scanned(self._about, report(files or self.files), len(self.files)))

    def state(self, draft: Draft, role: Role = Role.ENGINEER) -> Acknowledgement:
        """State something about the model as its route does."""
        posted = signed(self.services, self.home.people[role], draft)
        return self.services.models.state(self.home.actor(role), draft.predicate, *posted)

    def redteam(self, suite: str = "probe", **changes: Any) -> None:
        """State a run of the red team."""
        one = {**FAMILY, **changes}
        claims = {
            "run": Digest.of(suite.encode()).hex[:16], "suite": suite, "pack": str(Digest.of(b"pack")),
            "plan": str(Digest.of(b"plan")), "journal": "0" * 64, "startedAt": "2026-11-20T10:00:00.000Z",
            "finishedAt": "2026-11-20T10:10:00.000Z", "seed": 7, "thresholdPpm": 40_000, "leastValidPpm": 950_000,
            "gateCases": 381, "live": True, "families": [{"family": "one", **one}], "totals": one,
            "label": one["label"], "verdict": one["verdict"], "modelDigest": str(self.digest),
        }  # fmt: skip
        self.say(observed("redteam.run", claims, f"redteam/{claims['run']}", Digest.of(repr(claims).encode())))

    def bom(self, **changes: Any) -> None:
        """State a bill of materials."""
        claims = {**BOM, "generatedOn": f"{self.services.clock.now():%Y-%m-%d}", **changes}
        draft = observed("mlbom.generated", claims, f"model/{MODEL}", self.digest, Strength.DOCUMENTED)
        self.say(draft, Role.OWNER)

    def approval(self, *roles: Role, decision: str = "approve") -> None:
        """Let people approve."""
        for role in roles or (Role.SECURITY, Role.OWNER):
            draft = self.gates.approval(self.home.actor(role), str(self.digest), decision, "looked at it")
            posted = signed(self.services, self.home.people[role], draft)
            self.gates.approve(self.home.actor(role), *posted)

    def newcomer(self, role: Role) -> None:
        """Let the root enrol somebody else who has that role from now on: the log has known the key for no time."""
        person = NewPerson.make("A newcomer", role)
        root = replace(person, seed=keyfile.load(self.home.path / "keys" / "root.json", None).secret("root"))
        enrolled = operator_enrolled(person, "file-plain", self.services.clock.now())
        self.services.identity.enrol(
            *signed(self.services, root, enrolled), name=person.name, role=role, token_hash=hashed(person.token)
        )
        self.home = replace(self.home, people={**self.home.people, role: person})

    def enforce(self, mode: Mode = Mode.ENFORCE) -> None:
        """Put the gate in force over the file as it is."""
        draft = self.gates.setting(TENANT, mode)
        envelope, _ = signed(self.services, self.home.people[Role.SECURITY], draft)
        self.gates.set_mode(self.home.actor(Role.SECURITY), envelope)

    # From outside

    def bring(self, files: Mapping[str, bytes] | None = None, **told: Any) -> Intake:
        """State that the model lies in quarantine, as whoever brings it in does; the scan comes first."""
        self.scan(files)
        said = {"licence": "Apache-2.0", "country": "FR", "owner": "Exemple SA", "origin": "a disk", **told}
        policy = self.gates.files(TENANT).digest
        draft = intake.quarantined(
            MODEL, ModelName(self.name), manifest(self.files), 11, Source.FOLDER, Told(self.digest, **said), policy
        )
        posted = signed(self.services, self.home.people[Role.ENGINEER], draft)
        made, _ = self.gates.intakes.bring(self.home.actor(Role.ENGINEER), *posted)
        return self.gates.intakes.one(TENANT, made)

    def decide(self, found: Intake, decision: str = "accept", role: Role = Role.SECURITY) -> Intake:
        """Decide about a model in quarantine."""
        draft = self.gates.intakes.draft(self.home.actor(role), found.id, decision, "read it")
        posted = signed(self.services, self.home.people[role], draft)
        return self.gates.intakes.decide(self.home.actor(role), found.id, *posted)[0]

    @property
    def _about(self) -> About:
        return About(MODEL, ModelName(self.name), self.digest)


def observed(
    predicate: str, claims: Mapping[str, Any], subject: str, digest: Digest, strength: Strength = Strength.OBSERVED
) -> Draft:
    """Return a draft about one thing, with the model's name among its details."""
    return Draft(PredicateName(predicate), (Subject(subject, digest),), dict(claims), strength, {"name": "tiny"})
