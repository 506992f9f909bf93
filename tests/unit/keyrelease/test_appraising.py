"""Real verifiers over a TPM in Python and over published evidence: what is not right is denied, and recorded."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.attestation import credential, document, reference
from ringfence.attestation.model import LEAST, RELEASE, Binding, Claim, Family
from ringfence.kernel import digest as json
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused, VerificationFailed
from ringfence.kernel.statement import Strength
from ringfence.keyrelease.appraising import Appraising
from ringfence.testing import attestation as made
from ringfence.testing import attestation_samples as samples
from ringfence.testing.keyrelease import ANNA, KEY, TENANT, WISH, World

FILES = {"/usr/bin/python3": b"python", "/srv/train.py": b"train"}
AUTHORITY = made.Authority.root()


class Machine:
    """A machine with a TPM, booted with some parts and having run some files."""

    def __init__(self, seed=7, files=FILES, authority=AUTHORITY, **parts):
        self.tpm = made.SoftTpm(seed)
        self.log = self.tpm.boots(made.booted(**parts))
        self.files = made.measured(files, self.tpm)
        name = f"tpm {seed}"
        self.certificate = authority.certify(name, self.tpm.ek_key, use=made.ENDORSEMENT_USE)

    def evidence(self, binding, **changes):
        """Return evidence over a binding, changed where that is asked."""
        given = {"certificate": self.certificate, "log": self.log, "files": self.files}
        return printed(self.tpm.evidence(binding, **(given | changes)))

    def activate(self, blob):
        """Return the secret of a credential: TPM2B_ID_OBJECT, then TPM2B_ENCRYPTED_SECRET."""
        size = 2 + int.from_bytes(blob[:2])
        return self.tpm.activate(credential.Credential(blob[:size], blob[size:]))


def printed(evidence):
    return json.dumps(document.to_json(evidence))


GOOD = Machine()
VALUES = made.values_of(GOOD.tpm, GOOD.log, FILES)


def paper(*, software=False, **changes):
    """Return a reference document for the good machine."""
    demands = RELEASE[Family.TPM2] | {Claim.RUNTIME}
    wanted = made.expected(Family.TPM2, VALUES, (AUTHORITY.trusted(software=software),), demands)
    return reference.payload(replace(wanted, **changes))


def world_of(document_=None, **rule):
    world = World(appraiser=Appraising())
    world.clock.advance(made.AT - world.clock.now())
    document_ = paper() if document_ is None else document_
    world.allow(references=frozenset({Digest.of(document_)}), families=frozenset(Family), **rule)
    world.store.put_document(TENANT, "reference", document_, world.clock.now())
    be(world, "alpha", GOOD)
    return world


def be(world, name, machine):
    """Let a node be a machine."""
    world.nodes[name].answer = machine.evidence
    world.nodes[name].activate = machine.activate


def denied(world, wish=WISH):
    before = len(world.said("key.denied"))
    with pytest.raises(Refused):
        world.service().release(ANNA, wish)
    assert "wrap" not in world.order
    assert len(world.said("key.denied")) == before + 1
    assert world.order[-3:] == ["record key.denied", "commit", "publish"]  # recorded, then answered
    claims = world.said("key.denied")[-1].claims
    return set(claims["because"]), set(claims["lacking"])


def test_the_good_machine_gets_the_key_and_opens_it_with_its_tpm():
    world = world_of()
    lease = world.service().release(ANNA, WISH)
    assert bytes(world.nodes["alpha"].held[lease.id]) == KEY
    assert lease.strength is Strength.ATTESTED
    assert lease.device.startswith("tpm2:")


def test_what_is_released_does_not_open_with_another_tpm():
    world = world_of()
    world.nodes["alpha"].activate = Machine(8).activate
    with pytest.raises(VerificationFailed):
        world.service().release(ANNA, WISH)
    assert not world.nodes["alpha"].held
    assert [draft.claims["because"] for draft in world.said("lease.ended")] == ["not-delivered"]


@pytest.mark.parametrize(
    ("parts", "lacks"),
    [
        ({"kernel": b"another"}, "boot"),
        ({"initrd": b"another"}, "boot"),
        ({"line": b"quiet init=/bin/sh"}, "boot"),
        ({"files": FILES | {"/usr/bin/python3": b"changed"}}, "runtime"),
        ({"files": FILES | {"/opt/implant": b"more"}}, "runtime"),
    ],
)
def test_another_start_or_another_file_is_denied(parts, lacks):
    world = world_of()
    be(world, "alpha", Machine(**parts))
    because, lacking = denied(world)
    assert "evidence-must-hold" in because
    assert lacks in lacking


def test_a_replayed_quote_is_denied():
    world, seen = world_of(), []
    world.nodes["alpha"].answer = lambda binding: seen.append(GOOD.evidence(binding)) or seen[0]
    world.service().release(ANNA, WISH)
    world.order.clear()
    assert {"fresh", "bound"} <= denied(world)[1]


def test_a_relayed_quote_is_denied_once_its_device_is_known():
    world = world_of()
    world.node("beta")
    world.service().release(ANNA, WISH)
    world.order.clear()
    be(world, "beta", GOOD)
    because, lacking = denied(world, replace(WISH, node="beta"))
    assert (because, lacking) == ({"one-device-is-one-node"}, set())


@pytest.mark.parametrize("part", ["nonce", "node_key", "workload", "dataset"])
def test_a_quote_for_anything_else_is_denied(part):
    other = {"nonce": b"n" * 32, "node_key": b"k", "workload": Digest.of(b"other"), "dataset": "e" * 32}[part]
    world = world_of()
    world.nodes["alpha"].answer = lambda binding: GOOD.evidence(replace(binding, **{part: other}))
    assert "bound" in denied(world)[1]


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"certificate": None}, "chain"),
        ({"certificate": Machine(9).certificate}, "chain"),
        ({"certificate": Machine(7, authority=made.Authority.root(seed=2)).certificate}, "chain"),
        ({"log": None}, "boot"),
        ({"log": Machine(initrd=b"another").log}, "boot"),
        ({"files": None}, "runtime"),
        ({"files": b""}, "runtime"),
        ({"selected": frozenset({0, 7, 10})}, "boot"),
        ({"selected": made.QUOTED - {10}}, "runtime"),
    ],
    ids=[
        "no certificate", "another chip's", "another root of the same name", "no log", "another log", "no list",
        "empty list", "fewer PCRs", "without PCR 10",
    ],
)  # fmt: skip
def test_evidence_that_lacks_a_part_is_denied(changes, lacks):
    world = world_of()
    world.nodes["alpha"].answer = lambda binding: GOOD.evidence(binding, **changes)
    because, lacking = denied(world)
    assert because >= {"evidence-must-hold"} or because == {"malformed-evidence"}
    assert lacks in lacking or lacking >= {"signature"} or because == {"malformed-evidence"}


def test_reference_values_out_of_their_time_affirm_nothing():
    world = world_of(paper(valid_until=made.AT + timedelta(days=1)))
    world.clock.advance(timedelta(days=2))
    assert "boot" in denied(world)[1]


def test_a_software_tpm_is_denied_outside_a_demo_tenant():
    world = world_of(paper(software=True), software_tpm=True)
    assert denied(world)[0] == {"software-tpms-count-in-demo-tenants"}
    world.demo = True
    world.order.clear()
    assert world.service().release(ANNA, WISH).strength is Strength.LAB_ATTESTED


def published(evidence, expected):
    """Return a world whose node shows published evidence, which answers another challenge."""
    wanted = reference.payload(replace(expected, demands=RELEASE[expected.family]))
    world = world_of(wanted)
    world.nodes["alpha"].answer = lambda _binding: printed(evidence)
    return world


def test_a_report_that_allows_debugging_is_denied_whatever_else_is_right():
    wanted = samples.snp_expected()
    because, lacking = denied(published(samples.snp(), wanted))
    assert "evidence-must-hold" in because
    assert "debug" in lacking


def test_a_report_with_another_chips_certificate_is_denied():
    wrong = replace(samples.snp(), certificate=GOOD.certificate)
    because, lacking = denied(published(wrong, samples.snp_expected()))
    assert because == {"malformed-evidence"} or {"signature", "chain"} & lacking


def test_a_quote_without_collateral_in_force_is_denied():
    because, lacking = denied(published(samples.tdx(), samples.tdx_expected()))
    assert "evidence-must-hold" in because
    assert {"tcb", "collateral"} & lacking


def test_a_genuine_gpu_alone_releases_nothing():
    world = published(samples.gpu(), samples.gpu_expected())
    assert "evidence-must-hold" in denied(world)[0]


def test_evidence_of_a_family_without_a_reference_is_denied():
    world = world_of()
    world.nodes["alpha"].answer = lambda _binding: printed(samples.snp())
    assert denied(world)[0] == {"no-reference-of-this-family"}


@pytest.mark.parametrize("cut", [1, 100, 1000, -1])
def test_evidence_that_is_cut_short_is_denied(cut):
    world = world_of()
    world.nodes["alpha"].answer = lambda binding: GOOD.evidence(binding)[:cut]
    assert denied(world)[0] == {"malformed-evidence"}


def test_changed_bytes_of_a_quote_release_nothing():
    """A flipped bit anywhere in quote or signature; the counts of mutations are with the verifiers."""
    binding = Binding(b"n" * 32, b"k", WISH.workload, "d" * 32)
    evidence = GOOD.tpm.evidence(binding, certificate=GOOD.certificate, log=GOOD.log, files=GOOD.files)
    references = [paper()]
    assert accepted(printed(evidence), references, binding)
    for field in ("quote", "signature"):
        good = getattr(evidence, field)
        for position in range(0, len(good), 5):
            changed = bytearray(good)
            changed[position] ^= 0x10
            broken = replace(evidence, **{field: bytes(changed)})
            assert not accepted(printed(broken), references, binding), (field, position)


def accepted(evidence, references, binding):
    try:
        return Appraising().judge(evidence, references, binding, made.AT).appraisal.acceptable
    except MalformedInput:
        return False


ALWAYS = {Claim.SIGNATURE, Claim.CHAIN, Claim.FRESH, Claim.DEBUG}  # no document may leave these out at all


@pytest.mark.parametrize("claim", sorted(RELEASE[Family.TPM2] - ALWAYS - LEAST[Family.TPM2]))
def test_a_reference_that_demands_too_little_releases_nothing(claim):
    short = paper(demands=RELEASE[Family.TPM2] - {claim})
    with pytest.raises(MalformedInput, match=claim.value):
        Appraising().check(short)
    assert denied(world_of(short))[0] == {"no-reference-of-this-family"}


def test_the_reference_that_fits_is_found_among_several():
    binding = Binding(b"n" * 32, b"k", WISH.workload, "d" * 32)
    other = Machine(kernel=b"older")
    older = reference.payload(
        made.expected(Family.TPM2, made.values_of(other.tpm, other.log, FILES), (AUTHORITY.trusted(),))
    )
    judged = Appraising().judge(GOOD.evidence(binding), [older, paper()], binding, made.AT)
    assert judged.reference == Digest.of(paper())
    assert judged.appraisal.acceptable


def test_a_signed_reference_counts_as_its_payload():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    binding = Binding(b"n" * 32, b"k", WISH.workload, "d" * 32)
    signed = reference.sign(paper(), Ed25519PrivateKey.generate())
    judged = Appraising().judge(GOOD.evidence(binding), [signed], binding, made.AT)
    assert judged.reference == Digest.of(signed)
    assert judged.appraisal.acceptable


def test_a_root_of_ones_own_vouches_for_devices_in_its_own_name_only():
    """Whoever writes a reference may name a root of their own beside the maker's, and certify any device's key."""
    own = made.Authority.root(seed=2)
    both = paper(roots=(AUTHORITY.trusted(software=False), own.trusted(software=False)))
    binding = Binding(b"n" * 32, b"k", WISH.workload, "d" * 32)
    found = [
        Appraising().judge(machine.evidence(binding), [both], binding, made.AT)
        for machine in (GOOD, Machine(7, authority=own))
    ]
    assert [one.appraisal.acceptable for one in found] == [True, True]
    assert found[0].appraisal.device == found[1].appraisal.device
    assert [one.anchor for one in found] == [str(each.trusted(software=False).key) for each in (AUTHORITY, own)]
    alone = Appraising().judge(GOOD.evidence(binding), [paper()], binding, made.AT)
    assert alone.anchor == found[0].anchor
