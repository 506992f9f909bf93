"""Key release over an installation: the log, the database, the broker's process and a sealed dataset are the real ones.

The node's device is a fake here, so that everything that can go wrong can; the measured machine has tests of its own.
"""

import base64
from datetime import timedelta

import pytest

from ringfence.artifacts import statements
from ringfence.artifacts.blobs import Home as Vaults
from ringfence.artifacts.model import Custody, DatasetId, DatasetName
from ringfence.artifacts.opening import check, open_manifest
from ringfence.attestation.model import Claim, Level
from ringfence.identity.register import key_revoked
from ringfence.installation import SystemClock
from ringfence.kernel.actor import Role
from ringfence.kernel.envelope import assemble
from ringfence.kernel.errors import Conflict, Refused
from ringfence.kernel.statement import Strength
from ringfence.keyrelease import rules
from ringfence.keyrelease.model import LeaseState, Wish
from ringfence.keyrelease.reconcile import Rounds
from ringfence.testing.clock import FakeClock
from ringfence.testing.home import TENANT, make, signed
from ringfence.testing.keyrelease import REFERENCE, WORKLOAD, lease
from ringfence.testing.releases import NAME, Ground
from ringfence.testing.staged import empty
from ringfence.testing.tenancy import root_of, second


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("release") / "home", FakeClock())


@pytest.fixture
def ground(made, tmp_path):
    clock = FakeClock()
    with empty(made.copy(tmp_path / "home"), clock) as stage:
        yield Ground(stage, clock)


@pytest.fixture
def now(tmp_path):
    """The same by the clock of this machine, which the broker's process has as well."""
    home = make(tmp_path / "home")
    with empty(home, SystemClock()) as stage:
        yield Ground(stage, SystemClock())


def test_a_key_goes_through_the_log_and_the_brokers_process_to_the_node(now):
    now.allow()
    granted = now.ask()
    node = now.fakes.nodes["alpha"]
    held = node.held[granted.id]
    with Vaults(now.home.path).vault(DatasetId(NAME), 1) as vault:
        manifest = open_manifest(vault, check(vault, now.seal, 1), held)
    assert [file.path for file in manifest.files] == ["a.txt"]
    (released,) = now.said("key.released")
    assert released.issuance.strength is Strength.ATTESTED
    assert now.services.keyrelease.leases(TENANT)[0].state is LeaseState.LIVE
    stored = now.home.stored()
    assert bytes(held) not in stored
    assert held.hex().encode() not in stored


def test_a_release_of_yesterday_is_wrapped_for_nobody(ground):
    """The installation's clock stands in the past, the broker's does not: it refuses, and the lease ends."""
    ground.allow()
    with pytest.raises(Exception, match="five minutes"):
        ground.ask()
    assert not ground.fakes.nodes["alpha"].held
    (ended,) = ground.said("lease.ended")
    assert ended.claims["because"] == "not-delivered"


def test_a_rule_of_another_person_counts_as_theirs_and_the_newest_decides(now):
    now.allow()
    now.allow(purposes=frozenset())
    with pytest.raises(Refused, match="purpose"):
        now.ask()


def revoke(ground, role, since):
    wanted = key_revoked(ground.home.people[role].signer.key, reason="compromised", at=since)
    envelope, _ = signed(ground.services, root_of(ground.home), wanted)
    ground.services.keys.revoke(envelope, by=ground.home.actor())


def test_a_rule_whose_key_had_ended_brings_no_older_one_back(ground):
    """It may be the one by which somebody took the older one back."""
    ground.allow()
    ground.clock.advance(timedelta(minutes=1))
    ground.allow(Role.SECURITY, purposes=frozenset())
    revoke(ground, Role.SECURITY, ground.clock.now() - timedelta(seconds=1))
    assert ground.services.keyrelease.colleagues.rules.newest(TENANT, NAME) is None
    with pytest.raises(Refused, match="nobody has said"):
        ground.ask()
    ground.clock.advance(timedelta(minutes=1))
    ground.allow()
    assert ground.services.keyrelease.colleagues.rules.newest(TENANT, NAME)


def test_a_rule_that_was_written_into_the_database_is_none(ground):
    """Whoever can write there has no key of a person."""
    done = ground.allow(minutes=1)
    (logged,) = ground.services.ledger.statements(TENANT, (rules.ALLOWED,))
    payload = logged.envelope.payload.replace(b'"minutes":1', b'"minutes":60')
    assert payload != logged.envelope.payload
    forged = assemble(payload, logged.envelope.signer, logged.envelope.signature)
    values = (forged.data, forged.digest.value, done.envelope.value)
    assert ground.home.alter("UPDATE statements SET envelope = ?, digest = ? WHERE digest = ?", *values) == 1
    assert ground.services.keyrelease.colleagues.rules.newest(TENANT, NAME) is None


def test_nobody_records_another_tenants_dataset_as_their_own(ground):
    """Its sealed files lie in one home, under one KEK: a rule and a request of theirs would bring them its key."""
    other = second(ground.services, ground.home)
    with Vaults(ground.home.path).vault(DatasetId(NAME), 1) as vault:
        seal = check(vault, ground.seal, 1).seal
    wanted = statements.sealed(seal, ground.seal, Custody.FILE_PLAIN, DatasetName("mine"))
    envelope, opening = signed(ground.services, other.people[Role.ENGINEER], wanted, tenant=other.tenant)
    with pytest.raises(Conflict, match="recorded already"):
        ground.services.artifacts.seal(other.actor(Role.ENGINEER), DatasetName("mine"), envelope, opening)
    assert ground.services.artifacts.all(other.tenant) == []


def test_a_denial_is_in_the_database_before_it_is_answered(ground):
    ground.allow()
    ground.fakes.nodes["alpha"].device.levels[Claim.BOOT] = Level.CONTRAINDICATED
    with pytest.raises(Refused, match="does not show all"):
        ground.ask()
    (denied,) = ground.said("key.denied")
    assert denied.claims["lacking"] == ["boot"]
    assert ground.keys().refusals(TENANT)[0].reasons == ("boot: it is contraindicated",)


def test_challenges_survive_a_restart_and_are_used_once(made, tmp_path):
    clock = FakeClock()
    home = made.copy(tmp_path / "home")
    with empty(home, clock) as stage:
        ground = Ground(stage, clock)
        ground.allow()
        node = ground.fakes.nodes["alpha"]
        wish = Wish("claims", "alpha", "training", WORKLOAD)
        challenge = ground.keys().challenge(TENANT, wish, node.keys.public)
        used = ground.keys().challenge(TENANT, wish, node.keys.public)
        with pytest.raises(Refused, match="not show"):
            ground.keys().answer(home.actor(), wish, used.nonce, node.device.evidence(_binding(challenge)))
    with home.services(clock) as services:
        store = services.keyrelease.store
        assert store.challenge(TENANT, challenge.nonce) == challenge
        with services.database.transaction():
            assert store.use(challenge, clock.now())
            assert not store.use(used, clock.now())


def _binding(challenge):
    from ringfence.attestation.model import Binding

    return Binding(challenge.nonce, challenge.node_key, challenge.workload, challenge.dataset)


def test_a_lease_is_found_again_after_a_restart_and_ends(made, tmp_path):
    clock, home = FakeClock(), made.copy(tmp_path / "home")
    with empty(home, clock) as stage:
        node = stage.node("alpha")
        service = stage.services.keyrelease
        with service.transaction():
            service.store.put_lease(lease(1, clock.now(), node=node.id))
    clock.advance(timedelta(minutes=20))
    with home.services(clock) as services:
        (found,) = services.keyrelease.leases(TENANT)
        assert found.state is LeaseState.LIVE
        Rounds(services.keyrelease)()
        (ended,) = services.keyrelease.leases(TENANT)
        assert (ended.state, ended.because) == (LeaseState.ENDED, "expired")
        services.ledger.integrate()
        assert [
            one.envelope.statement.claims["dropped"] for one in services.ledger.statements(TENANT, ("lease.ended",))
        ] == [False]


# Over HTTP


def post(client, path, body):
    answer = client.post(f"/api/v1/releases{path}", json=body)
    return answer.status_code, answer.json()


def posted(ground, role, **changes):
    envelope, _ = signed(ground.services, ground.home.people[role], rules.draft(ground.rule(**changes)))
    return {"envelope": base64.b64encode(envelope.data).decode(), "opening": None, "references": []}


WISH = {"dataset": "claims", "node": "alpha", "purpose": "training", "workload": str(WORKLOAD)}


def test_a_namespace_node_is_denied_over_http_and_the_denial_is_shown(ground):
    with ground.home.http(ground.services, Role.OWNER) as owner:
        code, said = post(owner, "/rules", posted(ground, Role.OWNER, references=frozenset()))
        assert code == 201, said
        assert said["statement"]["stage"] == "published"
    with ground.home.http(ground.services, Role.ENGINEER) as engineer:
        code, said = post(engineer, "", WISH)
        assert code == 403
        assert "gives no evidence" in said["detail"]
        listed = engineer.get("/api/v1/releases").json()
    assert listed["leases"] == []
    assert [one["because"] for one in listed["denials"]] == [["no-evidence"]]
    assert [one.claims["because"] for one in ground.said("key.denied")] == [["no-evidence"]]


def test_an_engineer_asks_and_does_not_allow_and_an_auditor_does_neither(ground):
    with ground.home.http(ground.services, Role.ENGINEER) as engineer:
        code, _ = post(engineer, "/rules", posted(ground, Role.ENGINEER))
        assert code == 403
        envelope = posted(ground, Role.ENGINEER)
        del envelope["references"]
        assert engineer.post("/api/v1/statements", json=envelope).status_code == 403
    with ground.home.http(ground.services, Role.AUDITOR) as auditor:
        assert post(auditor, "", WISH)[0] == 403
        assert auditor.get("/api/v1/releases").status_code == 200
    assert ground.said("key.denied") == []
    assert ground.said("key.release_allowed") == []


@pytest.mark.parametrize(
    "change",
    [{"purpose": "A B"}, {"workload": "x"}, {"place": "de"}, {"more": 1}, {"node": "n" * 99}, {"purpose": None}],
)
def test_bad_input_is_refused_before_anything_happens(ground, change):
    with ground.home.http(ground.services, Role.OWNER) as owner:
        assert post(owner, "", WISH | change)[0] == 422
    assert ground.said("key.denied") == []


def test_a_rule_whose_reference_nobody_gave_or_that_is_none_is_refused(ground):
    with ground.home.http(ground.services, Role.OWNER) as owner:
        body = posted(ground, Role.OWNER)
        assert post(owner, "/rules", body)[0] == 404
        body["references"] = [base64.b64encode(REFERENCE).decode()]
        assert post(owner, "/rules", body)[0] == 422
        body["references"] = ["!"]
        assert post(owner, "/rules", body)[0] == 422
    assert ground.said("key.release_allowed") == []


def test_a_node_that_answers_by_itself_gets_its_challenge_over_http(ground):
    node = ground.fakes.nodes["alpha"]
    with ground.home.http(ground.services, Role.ENGINEER) as engineer:
        code, drawn = post(engineer, "/challenges", WISH | {"node_key": base64.b64encode(node.keys.public).decode()})
        assert (code, len(bytes.fromhex(drawn["nonce"]))) == (201, 32)
        answer = {"nonce": drawn["nonce"], "evidence": base64.b64encode(b"{}").decode()}
        assert post(engineer, "/answers", WISH | answer)[0] == 403
        assert post(engineer, "/answers", WISH | answer)[0] == 403
    said = [one.claims["because"] for one in ground.said("key.denied")]
    assert said == [["malformed-evidence", "no-rule"], ["challenge-unknown-used-or-expired", "no-rule"]]


def test_a_rule_can_be_signed_with_a_passkey_once_its_references_are_known(ground):
    ground.allow()
    envelope, _ = signed(ground.services, ground.home.people[Role.OWNER], rules.draft(ground.rule(minutes=5)))
    target = ground.services.acting.desk.target(rules.ALLOWED)
    assert target.submit(ground.home.actor(), "", envelope, None)["statement"]["stage"] == "published"
    assert [said.claims["minutes"] for said in ground.said(rules.ALLOWED)] == [15, 5]
