"""Challenge, evidence, policy, record, hand over: the order, and what each thing that fails leaves behind."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.attestation.model import Claim, Family, Level
from ringfence.kernel.errors import (
    Conflict,
    InternalError,
    MalformedInput,
    NotFound,
    Refused,
    TooManyAttempts,
    Unavailable,
)
from ringfence.kernel.statement import Strength
from ringfence.keyrelease import wrapping
from ringfence.keyrelease.model import CHALLENGE_LIFE, MAX_EVIDENCE, MOST_DENIALS, MOST_OPEN, LeaseState
from ringfence.keyrelease.reconcile import Rounds
from ringfence.testing.keyrelease import ANNA, DATASET, KEY, TENANT, WISH, FakeDevice, World


@pytest.fixture
def world():
    return World()


def denied(world, wish=WISH):
    """Ask, and return what the recorded denial names."""
    before, held, wraps = len(world.said("key.denied")), dict(world.nodes[wish.node].held), world.order.count("wrap")
    with pytest.raises(Refused):
        world.service().release(ANNA, wish)
    made = world.said("key.denied")
    assert len(made) == before + 1
    assert world.nodes[wish.node].held == held
    assert world.order.count("wrap") == wraps
    return made[-1].claims["because"]


def test_a_node_that_shows_what_it_runs_gets_the_key_after_the_record_is_published(world):
    lease = world.service().release(ANNA, WISH)
    assert bytes(world.nodes["alpha"].held[lease.id]) == KEY
    order = [step for step in world.order if step != "commit"]
    assert order == [
        "identify", "evidence", "record node.appraised", "record key.released", "publish", "wrap", "deliver",
    ]  # fmt: skip
    assert world.order.index("commit", world.order.index("record key.released")) < world.order.index("publish")
    assert lease.state is LeaseState.LIVE
    assert lease.expires_at - lease.granted_at == timedelta(minutes=15)
    released = world.said("key.released")[0]
    assert released.strength is Strength.ATTESTED
    assert released.claims["nodeKey"] == str(wrapping.Digest.of(world.nodes["alpha"].keys.public))
    assert world.said("node.appraised")[0].strength is Strength.ATTESTED


def test_a_released_key_opens_for_that_node_and_that_tpm_only(world):
    world.service().release(ANNA, WISH)
    released = wrapping.parse(world.nodes["alpha"].given[0])
    other = world.node("beta").keys
    with pytest.raises(wrapping.VerificationFailed):
        wrapping.open_sealed(released, other.private, lambda _: bytes(32))
    with pytest.raises(wrapping.VerificationFailed):
        wrapping.open_sealed(released, world.nodes["alpha"].keys.private, lambda _: bytes(32))


# Denials: each is recorded, and nothing is wrapped


def test_a_node_without_evidence_is_denied(world):
    world.nodes["alpha"].device = None
    assert denied(world) == ["no-evidence"]


def test_a_node_that_does_not_answer_is_denied(world):
    world.nodes["alpha"].broken["identify"] = Unavailable("its agent is away\x1b[2J")
    assert denied(world) == ["no-evidence"]
    assert world.store.refusals(TENANT)[0].reasons == ("its agent is away?[2J",)


def test_without_a_rule_nothing_is_released(world):
    world.rule = None
    assert denied(world) == ["no-rule"]


def test_a_rule_without_a_reference_releases_nothing(world):
    world.allow(references=frozenset())
    assert "no-reference-of-this-family" in denied(world)


@pytest.mark.parametrize("claim", list(Claim))
@pytest.mark.parametrize("level", [Level.NONE, Level.WARNING, Level.CONTRAINDICATED])
def test_each_claim_that_is_not_affirmed_is_a_denial(world, claim, level):
    world.nodes["alpha"].device.levels[claim] = level
    assert "evidence-must-hold" in denied(world)
    assert world.said("key.denied")[0].claims["lacking"] == [claim.value]
    assert world.said("node.appraised")[0].strength is Strength.OBSERVED


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"purposes": frozenset({"evaluation"})}, "the-purpose-is-allowed"),
        ({"workloads": frozenset()}, "the-workload-is-allowed"),
        ({"classes": frozenset({"own"})}, "the-class-of-node-is-allowed"),
        ({"families": frozenset({"sev-snp"})}, "the-kind-of-evidence-is-allowed"),
        ({"places": frozenset({"DE"})}, "the-place-is-allowed"),
    ],
)
def test_what_the_rule_does_not_allow_is_denied(world, change, because):
    world.allow(**change)
    assert because in denied(world)


def test_a_declared_place_counts_where_the_rule_takes_a_word_for_it(world):
    from ringfence.keyrelease.model import PlaceKind

    wish = replace(WISH, place="DE")
    world.allow(places=frozenset({"DE"}), place_kinds=frozenset({PlaceKind.PROVIDER_SIGNED}))
    assert denied(world, wish) == ["the-place-is-allowed"]
    world.allow(places=frozenset({"DE"}), place_kinds=frozenset({PlaceKind.DECLARED}))
    world.service().release(ANNA, wish)
    assert world.said("key.released")[0].claims["placeKind"] == "declared"


def test_a_software_tpm_is_denied_outside_demo_tenants_whatever_the_rule_says(world):
    world.nodes["alpha"].device.software = True
    world.allow(software_tpm=True)
    assert denied(world) == ["software-tpms-count-in-demo-tenants"]


def test_a_software_tpm_counts_in_a_demo_tenant_where_the_rule_says_so_and_is_marked(world):
    world.nodes["alpha"].device.software = True
    world.demo = True
    assert denied(world) == ["software-tpms-count-in-demo-tenants"]
    world.allow(software_tpm=True)
    lease = world.service().release(ANNA, WISH)
    assert lease.strength is Strength.LAB_ATTESTED
    assert world.said("key.released")[0].strength is Strength.LAB_ATTESTED


def test_one_device_is_one_living_node(world):
    world.service().release(ANNA, WISH)
    device = world.nodes["alpha"].device
    world.node("beta", device)
    assert "one-device-is-one-node" in denied(world, replace(WISH, node="beta"))
    world.nodes["alpha"].living = False
    world.service().release(ANNA, replace(WISH, node="beta"))


def test_evidence_without_a_device_is_denied(world):
    world.nodes["alpha"].device = FakeDevice(name="")
    assert "one-device-is-one-node" in denied(world)


@pytest.mark.parametrize("change", [{"cut_off": True}, {"ready": False}])
def test_a_node_that_is_cut_off_or_not_ready_is_denied(world, change):
    node = world.nodes["alpha"]
    node.target = replace(node.target, **change)
    assert "the-node-is-ready-and-not-cut-off" in denied(world)


def test_who_may_not_ask_any_more_is_denied(world):
    world.barred.add(ANNA.id)
    assert "who-asks-may-ask" in denied(world)


def test_evidence_of_another_kind_is_denied(world):
    world.nodes["alpha"].device.family = Family.SEV_SNP
    assert "the-kind-of-evidence-is-allowed" in denied(world)


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        (lambda _binding: None, "no-evidence"),
        (lambda _binding: b"{}", "malformed-evidence"),
        (lambda _binding: b"\xff", "malformed-evidence"),
        (lambda _binding: b" " * (MAX_EVIDENCE + 1), "evidence-too-large"),
    ],
)
def test_what_is_no_evidence_is_denied(world, answer, because):
    world.nodes["alpha"].answer = answer
    assert denied(world) == [because]


def test_a_replayed_answer_is_denied(world):
    node = world.nodes["alpha"]
    seen = []
    node.answer = lambda binding: seen.append(node.device.evidence(binding)) or seen[0]
    world.service().release(ANNA, WISH)
    assert "evidence-must-hold" in denied(world)
    assert world.said("key.denied")[0].claims["lacking"] == ["fresh", "bound"]


def test_evidence_by_a_device_that_nobody_trusts_is_denied(world):
    world.nodes["alpha"].device.secret = b"another"
    assert "evidence-must-hold" in denied(world)


# Challenges


def asked(world, **changes):
    return world.service().challenge(TENANT, replace(WISH, **changes), world.nodes["alpha"].keys.public)


def answer_of(world, challenge):
    from ringfence.attestation.model import Binding

    binding = Binding(challenge.nonce, challenge.node_key, challenge.workload, challenge.dataset)
    return world.nodes["alpha"].device.evidence(binding)


def refused(world, wish, nonce, evidence):
    with pytest.raises(Refused):
        world.service().answer(ANNA, wish, nonce, evidence)
    return world.said("key.denied")[-1].claims["because"]


def test_a_node_that_answers_by_itself_gets_the_key_once(world):
    challenge = asked(world)
    evidence = answer_of(world, challenge)
    handed = world.service().answer(ANNA, WISH, challenge.nonce, evidence)
    key = wrapping.open_sealed(
        wrapping.parse(handed.released), world.nodes["alpha"].keys.private, lambda c: bytes(a ^ 0x5A for a in c)
    )
    assert bytes(key) == KEY
    assert handed.lease.state is LeaseState.LIVE
    assert refused(world, WISH, challenge.nonce, evidence) == ["challenge-unknown-used-or-expired"]


def test_a_challenge_lives_a_minute(world):
    challenge = asked(world)
    world.clock.advance(CHALLENGE_LIFE + timedelta(milliseconds=1))
    assert refused(world, WISH, challenge.nonce, answer_of(world, challenge)) == ["challenge-unknown-used-or-expired"]


def test_a_clock_that_went_back_behind_a_challenge_answers_nothing(world):
    challenge = asked(world)
    world.clock.advance(timedelta(seconds=-1))
    assert refused(world, WISH, challenge.nonce, answer_of(world, challenge)) == ["challenge-unknown-used-or-expired"]


def test_an_unknown_nonce_is_denied(world):
    assert refused(world, WISH, b"n" * 32, b"{}") == ["challenge-unknown-used-or-expired"]


def test_a_challenge_answers_for_its_own_node_workload_and_dataset_only(world):
    world.node("beta")
    challenge = asked(world)
    evidence = answer_of(world, challenge)
    assert refused(world, replace(WISH, node="beta"), challenge.nonce, evidence) == [
        "challenge-unknown-used-or-expired"
    ]
    challenge = asked(world)
    other = replace(WISH, workload=DATASET.seal)
    assert refused(world, other, challenge.nonce, evidence) == ["challenge-unknown-used-or-expired"]


def test_evidence_for_another_node_key_is_denied(world):
    from ringfence.attestation.model import Binding

    challenge = asked(world)
    stranger = world.node("beta").keys.public
    binding = Binding(challenge.nonce, stranger, challenge.workload, challenge.dataset)
    evidence = world.nodes["alpha"].device.evidence(binding)
    assert refused(world, WISH, challenge.nonce, evidence) == ["evidence-must-hold"]
    assert "bound" in world.said("key.denied")[-1].claims["lacking"]


def test_a_challenge_is_used_up_before_the_evidence_is_looked_at(world):
    challenge = asked(world)
    world.broken["record node.appraised"] = Unavailable("the disk is full")
    with pytest.raises(Unavailable):
        world.service().answer(ANNA, WISH, challenge.nonce, answer_of(world, challenge))
    del world.broken["record node.appraised"]
    assert refused(world, WISH, challenge.nonce, answer_of(world, challenge)) == ["challenge-unknown-used-or-expired"]


def test_only_so_many_challenges_of_a_node_are_open(world):
    for _ in range(MOST_OPEN):
        asked(world)
    with pytest.raises(TooManyAttempts):
        asked(world)
    world.clock.advance(CHALLENGE_LIFE + timedelta(seconds=1))
    asked(world)


def test_a_node_key_that_is_none_is_not_challenged(world):
    with pytest.raises(MalformedInput):
        world.service().challenge(TENANT, WISH, b"short")


def test_another_tenants_names_lead_nowhere(world):
    from ringfence.testing.keyrelease import OTHER

    with pytest.raises(NotFound):
        world.service().release(replace(ANNA, tenant=OTHER), WISH)


# What cannot be recorded is not done


@pytest.mark.parametrize("step", ["record node.appraised", "record key.released", "publish", "wrap", "deliver"])
def test_a_step_that_fails_leaves_no_key_and_no_living_lease(world, step):
    if step == "deliver":
        world.nodes["alpha"].broken["deliver"] = Unavailable("gone")
    else:
        world.broken[step] = Unavailable("gone")
    with pytest.raises(Unavailable):
        world.service().release(ANNA, WISH)
    assert not world.nodes["alpha"].held
    assert not world.store.leases()
    ended = [draft.claims["because"] for draft in world.said("lease.ended")]
    assert ended == ([] if step.startswith("record") else ["not-delivered"])


@pytest.mark.parametrize("step", ["record key.denied", "commit"])
def test_a_denial_that_cannot_be_recorded_is_no_answer(world, step):
    world.nodes["alpha"].device = None
    world.broken[step] = Unavailable("the disk is full")
    with pytest.raises(Unavailable):
        world.service().release(ANNA, WISH)
    assert not world.stated


def test_a_denial_that_is_recorded_and_not_published_yet_is_answered(world):
    world.nodes["alpha"].device = None
    world.broken["publish"] = Unavailable("the signer is away")
    assert denied(world) == ["no-evidence"]


def test_a_release_that_was_killed_before_it_was_handed_over_ends(world):
    world.broken["wrap"] = InternalError("killed")
    world.broken["record lease.ended"] = InternalError("killed")
    with pytest.raises(InternalError):
        world.service().release(ANNA, WISH)
    world.broken.clear()
    assert [lease.state for lease in world.store.leases()] == [LeaseState.GRANTED]
    rounds = Rounds(world.service())
    assert rounds() == 0
    world.clock.advance(timedelta(seconds=61))
    assert rounds() == 1
    assert [draft.claims["because"] for draft in world.said("lease.ended")] == ["not-delivered"]
    assert not world.store.leases()


def test_a_rule_that_is_replaced_meanwhile_decides_nothing(world):
    service, node = world.service(), world.nodes["alpha"]

    class Turning:
        def __init__(self, inner):
            self.inner, self.asked = inner, 0

        def newest(self, tenant, dataset):
            self.asked += 1
            if self.asked == 2:
                world.allow(minutes=1)
            return self.inner.newest(tenant, dataset)

    service = replace(service, colleagues=replace(service.colleagues, rules=Turning(service.colleagues.rules)))
    with pytest.raises(Conflict):
        service.release(ANNA, WISH)
    assert not node.held
    assert not world.stated


# A flood of denials


def test_a_flood_is_counted_and_the_count_is_stated(world):
    world.nodes["alpha"].device = None
    for _ in range(MOST_DENIALS):
        denied(world)
    for _ in range(5):
        with pytest.raises(Refused):
            world.service().release(ANNA, WISH)
    assert len(world.said("key.denied")) == MOST_DENIALS
    rounds = Rounds(world.service())
    rounds()
    assert len(world.said("key.denied")) == MOST_DENIALS
    world.clock.advance(timedelta(minutes=10, seconds=1))
    rounds()
    rounds()
    last = world.said("key.denied")[MOST_DENIALS:]
    assert [draft.claims["unrecorded"] for draft in last] == [5]


def test_the_next_recorded_denial_says_how_many_were_only_counted(world):
    world.nodes["alpha"].device = None
    for _ in range(MOST_DENIALS + 3):
        with pytest.raises(Refused):
            world.service().release(ANNA, WISH)
    world.clock.advance(timedelta(minutes=10, seconds=1))
    denied(world)
    assert world.said("key.denied")[-1].claims["unrecorded"] == 3


def test_a_denial_that_cannot_be_counted_is_no_answer(world):
    world.nodes["alpha"].device = None
    for _ in range(MOST_DENIALS):
        denied(world)
    world.broken["commit"] = Unavailable("the disk is full")
    with pytest.raises(Unavailable):
        world.service().release(ANNA, WISH)


# Leases


def test_a_lease_is_renewed_by_new_evidence(world):
    lease = world.service().release(ANNA, WISH)
    rounds = Rounds(world.service())
    assert rounds() == 0
    world.clock.advance(timedelta(minutes=10))
    assert rounds() == 1
    (renewed,) = world.store.leases()
    assert renewed.id == lease.id
    assert renewed.expires_at == world.clock.now() + timedelta(minutes=15)
    assert world.order.count("evidence") == 2
    assert [draft.claims["renewal"] for draft in world.said("key.released")] == [False, True]


def test_a_lease_whose_evidence_fails_ends_at_once_and_the_agent_drops_the_key(world):
    world.service().release(ANNA, WISH)
    held = next(iter(world.nodes["alpha"].held.values()))
    world.nodes["alpha"].device.levels[Claim.RUNTIME] = Level.CONTRAINDICATED
    world.clock.advance(timedelta(minutes=10))
    Rounds(world.service())()
    assert bytes(held) == bytes(32)
    assert not world.store.leases()
    (ended,) = world.said("lease.ended")
    assert (ended.claims["because"], ended.claims["dropped"]) == ("denied-at-renewal", True)


def test_a_lease_whose_rule_was_withdrawn_ends_when_it_is_to_be_renewed(world):
    world.service().release(ANNA, WISH)
    world.allow(purposes=frozenset())
    world.clock.advance(timedelta(minutes=10))
    Rounds(world.service())()
    assert not world.store.leases()
    assert not world.nodes["alpha"].held


def test_a_node_that_does_not_answer_keeps_its_lease_until_that_ends(world):
    world.service().release(ANNA, WISH)
    world.nodes["alpha"].broken = {"evidence": Unavailable("away"), "revoke": Unavailable("away")}
    rounds = Rounds(world.service())
    world.clock.advance(timedelta(minutes=10))
    with pytest.raises(Unavailable):
        rounds()
    assert len(world.store.leases()) == 1
    world.clock.advance(timedelta(minutes=5))
    rounds()
    assert not world.store.leases()
    (ended,) = world.said("lease.ended")
    assert (ended.claims["because"], ended.claims["dropped"]) == ("expired", False)


def test_a_node_that_is_gone_loses_its_lease(world):
    world.service().release(ANNA, WISH)
    world.nodes["alpha"].living = False
    Rounds(world.service())()
    assert [draft.claims["because"] for draft in world.said("lease.ended")] == ["node-gone"]


def test_a_person_ends_a_lease_once(world):
    lease = world.service().release(ANNA, WISH)
    service = world.service()
    assert service.leasing.end_for(ANNA, lease.id).state is LeaseState.ENDED
    service.leasing.end_for(ANNA, lease.id)
    (ended,) = world.said("lease.ended")
    assert (ended.claims["because"], ended.claims["by"], ended.claims["dropped"]) == ("ended-by-person", ANNA.id, True)


def test_a_lease_that_ended_is_not_renewed(world):
    service = world.service()
    lease = service.release(ANNA, WISH)
    service.leasing.end_for(ANNA, lease.id)
    with pytest.raises(Conflict):
        service.renew(lease)
    assert not world.nodes["alpha"].held


def test_a_lease_that_one_round_cannot_look_at_keeps_none_of_the_others(world):
    service = world.service()
    world.node("beta")
    service.release(ANNA, WISH)
    service.release(ANNA, replace(WISH, node="beta"))
    world.nodes["alpha"].broken["identify"] = Unavailable("away")
    world.clock.advance(timedelta(minutes=10))
    with pytest.raises(Unavailable):
        Rounds(service)()
    assert [draft.claims["renewal"] for draft in world.said("key.released")] == [False, False, True]
