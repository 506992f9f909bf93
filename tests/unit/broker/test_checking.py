"""The broker unwraps a key for a release that the log has published, and for nothing else."""

import secrets
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.artifacts.blobs import Home as Vaults
from ringfence.artifacts.keyring import FileKeyring
from ringfence.artifacts.model import KEY_SIZE, DatasetId
from ringfence.artifacts.seal import print_seal
from ringfence.artifacts.sealing import NewSeal, seal_tree
from ringfence.attestation.model import Appraisal, Claim, Family, Level
from ringfence.attestation.model import Judged as JudgedClaim
from ringfence.broker import checking, grounds
from ringfence.broker.client import BrokerProcess
from ringfence.identity.register import key_revoked
from ringfence.kernel.actor import Role
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import assemble
from ringfence.kernel.errors import NotFound, Refused, RingfenceError, Unavailable, VerificationFailed
from ringfence.kernel.statement import Draft, Strength
from ringfence.keyrelease import rules, wrapping
from ringfence.keyrelease.deciding import Handover, release
from ringfence.keyrelease.model import (
    Dataset,
    Facts,
    Judgement,
    LeaseId,
    Place,
    StandingRule,
    Target,
    Wish,
)
from ringfence.keyrelease.ports import Wrapping
from ringfence.keyrelease.wrapping import Released, Terms
from ringfence.ledger import trust as trust_files
from ringfence.ledger.issuers import ENROLLED
from ringfence.reports.logpart import log_part
from ringfence.testing import acting
from ringfence.testing.artifacts import MemoryTree
from ringfence.testing.authenticator import Authenticator
from ringfence.testing.home import TENANT, make, signed
from ringfence.testing.keyrelease import ANNA, WORKLOAD, NodeKeys
from ringfence.testing.keyrelease import World as Releases
from ringfence.testing.ledger import PAGE
from ringfence.testing.tenancy import root_of

NODE = NodeKeys()
SECRET, CREDENTIAL = b"s" * 32, b"credential"


RULE = Releases().allow(classes=frozenset({"vm"}), families=frozenset({"tpm2", "sev-snp"}))


def appraised(*, software=False, level=Level.AFFIRMING):
    claims = dict.fromkeys(Claim, JudgedClaim(level, "it is so"))
    return Appraisal(Family.TPM2, claims, frozenset(Claim), device="tpm2:x", software_tpm=software)


class Kept:
    """Randomness that remembers the dataset's key."""

    def __init__(self):
        self.drawn = []

    def __call__(self, size):
        self.drawn.append(secrets.token_bytes(size))
        return self.drawn[-1]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """A home with a sealed dataset, and the dataset's key."""
    home = make(tmp_path_factory.mktemp("broker") / "home")
    random, name = Kept(), DatasetId("d" * 32)
    keyring = FileKeyring.create(home.path / "kek.json", None)
    with Vaults(home.path).staging(TENANT, {}) as staged:
        seal = seal_tree(MemoryTree({"a.txt": b"hello"}), staged, NewSeal(name, 1, 2**16), keyring, random)
        staged.publish(name, 1)
        staged.settle(None)
    key = next(one for one in random.drawn if len(one) == KEY_SIZE)
    return home, Dataset(TENANT, name, "claims", 1, Digest.of(print_seal(seal))), key


@pytest.fixture
def world(sealed, tmp_path):
    home, dataset, key = sealed
    copy = home.copy(tmp_path / "home")
    with copy.services() as services:
        yield World(copy, services, dataset, key)


class World:
    def __init__(self, home, services, dataset, key):
        self.home, self.services, self.dataset, self.key = home, services, dataset, key

    def allow(self, role=Role.OWNER, **changes):
        """Let a person sign a rule, and return it as it stands in the log."""
        rule = replace(RULE, dataset=self.dataset.dataset, **changes)
        envelope, _ = signed(self.services, self.home.people[role], rules.draft(rule))
        with self.services.ledger.publishable():
            self.services.outbox.admit(envelope, None, by=self.home.actor(role))
        self.services.ledger.published(envelope.digest)
        return StandingRule(rule, envelope.digest)

    def draft(
        self, *, credential=CREDENTIAL, minutes=15, node_key=NODE.public, family="tpm2", rule=None, place=None, **judged
    ):
        """Return lease and draft of a release that was decided just now, by a rule that allows it."""
        rule = rule or self.allow()
        now = self.services.clock.now()
        target = Target(TENANT, "n-00000001", "alpha", Digest.of(b"alpha"), "vm", ready=True, cut_off=False)
        facts = Facts(
            TENANT,
            self.dataset,
            target,
            Wish("claims", "alpha", "training", WORKLOAD),
            ANNA.id,
            rule,
            Judgement(family, appraised(**judged), Digest.of(b"evidence"), None),
            place or Place(),
            demo=False,
            device_elsewhere=False,
            requester_allowed=True,
            at=now,
        )
        handover = Handover(Digest.of(node_key), Digest.of(credential) if credential else None)
        return release(facts, minutes, None, LeaseId("lease-00000000000a"), handover, Digest.of(b"policy"))

    def record(self, draft):
        """Record a statement with the control plane's key, and publish it."""
        with self.services.ledger.publishable():
            done = self.services.outbox.record(draft, tenant=TENANT)
        self.services.ledger.published(done.envelope)
        return done.envelope

    def wanted(self, decided, statement, **changes):
        lease = decided.lease
        terms = Terms(lease.dataset, lease.epoch, lease.id, lease.expires_at, statement)
        made = Wrapping(TENANT, self.dataset, terms, NODE.public, CREDENTIAL, SECRET)
        return replace(made, **changes)

    def wrap(self, wanted):
        return BrokerProcess(self.home.path, self.services.ledger).wrap(wanted)

    def order(self, statement, **changes):
        """Return an order as the control process makes it, in this process."""
        (logged,) = (one for one in self.services.ledger.statements(TENANT) if one.envelope.digest == statement)
        ledger = self.services.ledger
        part = checking.digest.loads(log_part(ledger, TENANT, logged))
        given = {"node_key": NODE.public, "credential": CREDENTIAL, "secret": SECRET, "log": part} | changes
        if "grounds" not in given:
            named = grounds.rule_of(logged.envelope.statement)
            rule = next((one for one in ledger.statements(TENANT) if one.envelope.digest == named), logged)
            given["grounds"] = grounds.print_grounds(ledger, TENANT, logged, rule, ledger.head().checkpoint.size)
        return checking.parse_order(
            checking.print_order(
                given.get("envelope", logged.envelope),
                (given["log"], given["grounds"]),
                given["node_key"],
                given["credential"],
                given["secret"],
            )
        )

    def entitled(self, order, *, trust=None, after=timedelta()):
        kept = trust or trust_files.parse((self.home.path / "trust.json").read_bytes())
        return checking.entitled(order, kept, self.services.clock.now() + after)


def test_the_key_of_a_published_release_is_wrapped_for_that_node(world):
    decided = world.draft()
    wanted = world.wanted(decided, world.record(decided.draft))
    found = Released(wanted.terms, world.wrap(wanted), CREDENTIAL)
    assert bytes(wrapping.open_sealed(found, NODE.private, lambda _: SECRET)) == world.key


def test_a_node_without_a_tpm_gets_it_without_a_credential(world):
    decided = world.draft(credential=None, family="sev-snp")
    wanted = world.wanted(decided, world.record(decided.draft), credential=None, secret=None)
    found = Released(wanted.terms, world.wrap(wanted), None)
    assert bytes(wrapping.open_sealed(found, NODE.private, None)) == world.key


def test_a_tpm_gets_nothing_that_another_tpm_opens(world):
    decided = world.draft(credential=None)
    with pytest.raises(VerificationFailed, match="credential"):
        world.entitled(world.order(world.record(decided.draft), credential=None, secret=None))


def test_what_is_only_sequenced_releases_nothing(world):
    decided = world.draft()
    with world.services.ledger.publishable():
        statement = world.services.outbox.record(decided.draft, tenant=TENANT).envelope
    with pytest.raises(Unavailable):
        world.wrap(world.wanted(decided, statement))


@pytest.mark.parametrize(
    "changes", [{"node_key": NodeKeys().public}, {"credential": b"other"}, {"credential": None, "secret": None}]
)
def test_another_node_or_credential_than_recorded_gets_nothing(world, changes):
    decided = world.draft()
    statement = world.record(decided.draft)
    with pytest.raises(VerificationFailed, match="another node key, or another credential"):
        world.entitled(world.order(statement, **changes))
    with pytest.raises(VerificationFailed, match="another node key, or another credential"):
        world.wrap(world.wanted(decided, statement, **changes))


def test_another_seal_than_recorded_is_not_opened(world):
    decided = world.draft()
    seal = world.home.path / "datasets" / world.dataset.dataset / "1" / "seal.json"
    statement = world.record(decided.draft)
    seal.write_bytes(seal.read_bytes().replace(b'"epoch":1', b'"epoch":2'))
    with pytest.raises(VerificationFailed):
        world.wrap(world.wanted(decided, statement))


def test_a_dataset_that_is_not_here_is_said(world):
    decided = world.draft()
    statement = world.record(decided.draft)
    folder = world.home.path / "datasets" / world.dataset.dataset
    folder.rename(folder.with_name("e" * 32))
    with pytest.raises(NotFound):
        world.wrap(world.wanted(decided, statement))


def test_without_a_trust_file_the_broker_believes_nothing(world):
    decided = world.draft()
    statement = world.record(decided.draft)
    (world.home.path / "trust.json").unlink()
    with pytest.raises(Unavailable, match="trust file"):
        world.wrap(world.wanted(decided, statement))


def test_a_statement_of_another_type_releases_nothing(world):
    decided = world.draft()
    other = replace(decided.draft, predicate=type(decided.draft.predicate)("key.denied"))
    with pytest.raises(VerificationFailed, match="releases nothing"):
        world.entitled(world.order(world.record(other)))


@pytest.mark.parametrize(
    ("after", "because"), [(timedelta(minutes=5, seconds=5), "five minutes"), (timedelta(seconds=-9), "five")]
)
def test_an_old_release_or_one_of_the_future_releases_nothing(world, after, because):
    decided = world.draft()
    order = world.order(world.record(decided.draft))
    assert world.entitled(order).seal == world.dataset.seal
    with pytest.raises(VerificationFailed, match=because):
        world.entitled(order, after=after)


def test_a_lease_that_is_over_releases_nothing(world):
    decided = world.draft(minutes=1)
    order = world.order(world.record(decided.draft))
    with pytest.raises(VerificationFailed, match="lease is over"):
        world.entitled(order, after=timedelta(minutes=1))


def published_past_the_gate(world, envelope):
    """Put an envelope into the log as somebody could who has the database, and the signer's heads over it."""
    with world.services.ledger.publishable():
        world.services.outbox.append(envelope, None)
    world.services.ledger.published(envelope.digest)


def test_a_release_that_a_person_signed_releases_nothing(world):
    """An engineer's key, which the root enrolled too, is no control plane's, also where the log took it in."""
    draft = replace(world.draft().draft, strength=Strength.OBSERVED)
    forged, _ = signed(world.services, world.home.people[Role.ENGINEER], draft)
    published_past_the_gate(world, forged)
    with pytest.raises(VerificationFailed, match="control plane"):
        world.entitled(world.order(forged.digest))


def test_a_release_whose_signature_is_wrong_releases_nothing(world):
    """It names the control plane's key, stands in the log, and was signed by nobody."""
    good = world.order(world.record(world.draft().draft)).envelope
    payload = good.payload.replace(good.statement.issuance.nonce.encode(), b"0" * 32)
    payload = payload.replace(good.statement.issuance.idempotency_key.encode(), b"another-one")
    payload = payload.replace(
        b'"sequence":%d' % good.statement.issuance.sequence, b'"sequence":%d' % (good.statement.issuance.sequence + 1)
    )
    forged = assemble(payload, good.signer, good.signature)
    published_past_the_gate(world, forged)
    with pytest.raises(VerificationFailed, match="signature"):
        world.entitled(world.order(forged.digest))


def revoke(world, key, reason="compromised"):
    """Let the root say that a key has ended."""
    wanted = key_revoked(key, reason=reason, at=world.services.clock.now())
    published_past_the_gate(world, signed(world.services, root_of(world.home), wanted)[0])


def test_a_release_whose_key_was_revoked_since_releases_nothing(world):
    statement = world.record(world.draft().draft)
    order = world.order(statement)
    world.entitled(order)
    revoke(world, order.envelope.signer, "superseded")
    with pytest.raises(VerificationFailed, match="revoked since"):
        world.entitled(world.order(statement))


def test_a_rule_whose_key_was_stolen_releases_nothing(world):
    statement = world.record(world.draft().draft)
    world.entitled(world.order(statement))
    revoke(world, world.home.people[Role.OWNER].signer.key)
    with pytest.raises(VerificationFailed, match="ended as stolen"):
        world.entitled(world.order(statement))


def test_a_rule_of_a_key_that_was_replaced_since_still_counts(world):
    statement = world.record(world.draft().draft)
    revoke(world, world.home.people[Role.OWNER].signer.key, "superseded")
    assert world.entitled(world.order(statement))


def test_a_rule_that_was_signed_by_passkey_counts(world):
    """Its enrolment is not the root's: the person's own key made it, and has to be shown along."""
    owner, key, now = world.home.people[Role.OWNER], Authenticator(PAGE), world.services.clock.now()
    life = {"validFrom": to_text(now - timedelta(minutes=1)), "validUntil": to_text(now + timedelta(days=1))}
    wanted = Draft(ENROLLED, (acting.subject_of(key),), acting.enrolment(key, owner.id, **life), Strength.DOCUMENTED)
    published_past_the_gate(world, signed(world.services, owner, wanted)[0])
    rule = replace(RULE, dataset=world.dataset.dataset)
    log = world.services.home.log
    envelope = acting.sign(
        key, acting.issued(key, rules.draft(rule), tenant=TENANT, log=log, sequence=1, at=world.services.clock.now())
    )
    published_past_the_gate(world, envelope)
    order = world.order(world.record(world.draft(rule=StandingRule(rule, envelope.digest)).draft))
    assert world.entitled(order)
    enrolled = next(one for one in order.grounds.keys if one.envelope.signer == owner.signer.key)
    without = tuple(one for one in order.grounds.keys if one is not enrolled)
    with pytest.raises(VerificationFailed, match="person's key"):
        world.entitled(replace(order, grounds=replace(order.grounds, keys=without)))


def test_a_release_without_a_persons_rule_releases_nothing(world):
    """Not the control process says what may go where: it needs a rule that a person signed before."""
    draft = world.draft().draft
    made_up = replace(world.draft(), draft=replace(draft, claims=draft.claims | {"rule": "none"}))
    with pytest.raises(Unavailable, match="rule"):
        world.wrap(world.wanted(made_up, world.record(made_up.draft)))
    said = [world.record(draft), world.record(world.draft().draft)]
    shown, other = world.order(said[0]).grounds, world.order(said[1])
    with pytest.raises(VerificationFailed, match="another rule"):
        world.entitled(replace(other, grounds=shown))
    later = replace(other.part, segment=replace(other.part.segment, entry=shown.rule.entry))
    with pytest.raises(VerificationFailed):
        world.entitled(replace(other, part=later))


@pytest.mark.parametrize(
    ("rule", "given", "because"),
    [
        ({"purposes": frozenset({"serving"})}, {}, "purpose"),
        ({"minutes": 5}, {}, "length"),
        ({"software_tpm": True}, {"software": True}, "strength"),  # this tenant is no demo
    ],
)
def test_a_release_that_its_rule_does_not_allow_releases_nothing(world, rule, given, because):
    order = world.order(world.record(world.draft(rule=world.allow(**rule), **given).draft))
    with pytest.raises(VerificationFailed, match=because):
        world.entitled(order)


def test_a_rule_of_afterwards_releases_nothing(world):
    rule = replace(RULE, dataset=world.dataset.dataset)
    envelope, _ = signed(world.services, world.home.people[Role.OWNER], rules.draft(rule))
    statement = world.record(world.draft(rule=StandingRule(rule, envelope.digest)).draft)
    published_past_the_gate(world, envelope)
    with pytest.raises(VerificationFailed, match="after the release"):
        world.entitled(world.order(statement))


def test_a_rule_that_no_person_signed_releases_nothing(world):
    rule = replace(RULE, dataset=world.dataset.dataset)
    forged, _ = signed(world.services, root_of(world.home), rules.draft(rule))  # the control plane's signer refuses it
    published_past_the_gate(world, forged)
    order = world.order(world.record(world.draft(rule=StandingRule(rule, forged.digest)).draft))
    with pytest.raises(VerificationFailed, match="person's key"):
        world.entitled(order)


def test_another_installations_log_releases_nothing(world, tmp_path):
    decided = world.draft()
    order = world.order(world.record(decided.draft))
    other = make(tmp_path / "other")
    with pytest.raises(VerificationFailed):
        world.entitled(order, trust=trust_files.parse((other.path / "trust.json").read_bytes()))


def test_every_part_of_the_proof_is_looked_at(world):
    order = world.order(world.record(world.draft().draft))
    part = order.part
    flipped = lambda proof: (bytes(b ^ 1 for b in proof[0]), *proof[1:])  # noqa: E731
    changes = [
        {"checkpoint": part.checkpoint.replace("\n", "\nx", 1)},
        {"checkpoint": part.checkpoint.rsplit("\n", 2)[0] + "\n"},
        {"segment": replace(part.segment, entry=part.segment.entry - 1)},
        {"segment": replace(part.segment, proof=flipped(part.segment.proof))},
        {"segment": replace(part.segment, recorded_at=part.segment.recorded_at + timedelta(seconds=1))},
        {"enrolment": replace(part.enrolment, proof=flipped(part.enrolment.proof))},
        {"enrolment": part.segment},
    ]
    for change in changes:
        with pytest.raises(RingfenceError):
            world.entitled(replace(order, part=replace(part, **change)))
    shown = order.grounds
    for change in (
        {"rule": replace(shown.rule, proof=flipped(shown.rule.proof))},
        {"rule": part.segment},
        {"keys": (replace(shown.keys[0], proof=flipped(shown.keys[0].proof)), *shown.keys[1:])},
        {"keys": shown.keys[:1]},
        {"keys": ()},
    ):
        with pytest.raises(VerificationFailed):
            world.entitled(replace(order, grounds=replace(shown, **change)))


@pytest.mark.parametrize("sent", [b"", b"{}", b"\xff", b"[]", b'{"envelope": 1}', b"x" * (checking.MAX_ORDER + 1)])
def test_what_is_no_order_is_answered_with_a_reason(sealed, sent):
    home = sealed[0]
    done = subprocess.run(
        [sys.executable, "-I", "-m", "ringfence.broker", str(home.path)], input=sent, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert set(checking.digest.loads(done.stdout)) == {"because", "kind"}
    assert b"Traceback" not in done.stderr


def test_an_erased_dataset_is_refused(world):
    key_file = world.home.path / "datasets" / world.dataset.dataset / "1" / "key.json"
    document = checking.digest.loads(key_file.read_bytes())
    key_file.write_bytes(checking.digest.dumps(document | {"wrappings": []}))
    decided = world.draft()
    with pytest.raises((Refused, VerificationFailed)):
        world.wrap(world.wanted(decided, world.record(decided.draft)))
