from dataclasses import replace

import pytest

from ringfence.attestation.appraise import appraise
from ringfence.attestation.model import Binding, Claim, Family, Level, Nonce, SnpValues
from ringfence.kernel.digest import Digest
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import AT, Authority, expected
from ringfence.testing.confidential import MEASUREMENT, TCB, SnpChip

BINDING = Binding(b"n" * 32, b"key", Digest.of(b"workload"), "patients")
CHIP = SnpChip()
VALUES = SnpValues(frozenset({MEASUREMENT}), {"snp": 8, "microcode": 115}, "Milan")
EXPECTED = expected(Family.SEV_SNP, VALUES, (CHIP.root.trusted(software=False),))


def judge(evidence, wanted=EXPECTED, binding=BINDING):
    return appraise(evidence, wanted, binding, AT)


def made(chip=CHIP, **given):
    return chip.evidence(chip.report(BINDING.digest, **given), crl=chip.root.revoking())


def level(appraisal, claim):
    return appraisal.claims[claim].level


@pytest.mark.parametrize("version", [2, 3])
def test_a_guest_that_is_as_expected(version):
    done = judge(made(version=version))
    assert done.acceptable, done.claims
    assert done.device == f"sev-snp:{CHIP.chip.hex()}"
    assert done.measurements["measurement"] == MEASUREMENT.hex()


def test_a_key_rests_on_the_makers_revocation_list():
    """Whoever hands a chip's certificates over, and knows that they were revoked, leaves the list out."""
    done = judge(replace(made(), crl=None))
    assert level(done, Claim.COLLATERAL) is Level.NONE
    assert done.lacking == (Claim.COLLATERAL,)


def test_the_published_report_has_a_good_signature_and_is_refused():
    done = judge(samples.snp(), samples.snp_expected(), samples.SNP_NONCE)
    for claim in (Claim.SIGNATURE, Claim.CHAIN, Claim.IDENTITY, Claim.FRESH, Claim.TCB, Claim.BOOT):
        assert level(done, claim) is Level.AFFIRMING
    assert level(done, Claim.DEBUG) is Level.CONTRAINDICATED
    assert done.lacking == (Claim.DEBUG,)
    assert not done.acceptable


@pytest.mark.parametrize(
    ("given", "claim"),
    [
        ({"policy": 0xB0000}, Claim.DEBUG),
        ({"policy": 0x70000}, Claim.DEBUG),  # a migration agent
        ({"policy": 0x10000}, Claim.DEBUG),  # the bit that is always one
        ({"policy": 0x30000 | 1 << 40}, Claim.DEBUG),  # a bit that nobody knows
        ({"vmpl": 1}, Claim.DEBUG),
        ({"measurement": b"x" * 48}, Claim.BOOT),
        ({"order": "big"}, Claim.SIGNATURE),
        *(({"tcbs": {stage: TCB[:6] + b"\x07" + TCB[7:]}}, Claim.TCB) for stage in ("current", "committed", "launch")),
        ({"tcbs": {"reported": TCB[:6] + b"\x09" + TCB[7:]}}, Claim.TCB),  # not what the certificate is for
    ],
)
def test_guests_that_are_not(given, claim):
    done = judge(made(**given))
    assert level(done, claim) is Level.CONTRAINDICATED
    assert not done.acceptable


def test_the_certificate_of_another_chip_is_refused():
    other = SnpChip(seed=24, chip=bytes(64)[:63] + b"\1")
    mixed = replace(made(), certificate=other.certificate)
    assert level(judge(mixed), Claim.SIGNATURE) is Level.CONTRAINDICATED
    assert level(judge(mixed), Claim.IDENTITY) is Level.CONTRAINDICATED
    relabelled = SnpChip(chip=b"\2" * 64)  # the same key, with a certificate for another chip
    assert level(judge(replace(made(), certificate=relabelled.certificate)), Claim.IDENTITY) is Level.CONTRAINDICATED


def test_a_chip_that_is_masked_has_no_identity():
    masked = SnpChip(chip=bytes(64))
    assert level(judge(masked.evidence(masked.report(BINDING.digest))), Claim.IDENTITY) is Level.CONTRAINDICATED


def test_a_providers_key_names_no_chip():
    provider = SnpChip(provider="example.eu")
    wanted = replace(EXPECTED, roots=(provider.root.trusted(software=False),))
    done = judge(made(provider), wanted)
    assert level(done, Claim.SIGNATURE) is Level.AFFIRMING
    assert level(done, Claim.IDENTITY) is Level.WARNING
    assert not done.acceptable
    swapped = replace(made(provider), certificate=CHIP.certificate)
    assert level(judge(swapped), Claim.SIGNATURE) is Level.CONTRAINDICATED


@pytest.mark.parametrize("chain", [(), (CHIP.root.certificate, CHIP.issuer.certificate), (CHIP.certificate,)])
def test_the_chain_has_to_be_whole_and_in_order(chain):
    assert level(judge(replace(made(), chain=chain)), Claim.CHAIN) is Level.CONTRAINDICATED


def test_a_root_of_the_right_name_and_another_key_is_refused():
    twin = Authority.root("ARK-Test", 77, CHIP.root.key.curve)
    assert level(judge(made(), replace(EXPECTED, roots=(twin.trusted(),))), Claim.CHAIN) is Level.CONTRAINDICATED


def test_without_a_certificate_nothing_is_shown():
    done = judge(replace(made(), certificate=None))
    assert {judged.level for claim, judged in done.claims.items() if claim in done.demanded} <= {
        Level.NONE,
        Level.CONTRAINDICATED,
    }
    assert not done.acceptable


def test_the_challenge_has_to_be_this_one():
    assert not judge(CHIP.evidence(CHIP.report(b"x" * 32))).acceptable
    assert not judge(CHIP.evidence(CHIP.report(BINDING.digest + b"\1"))).acceptable
    nonce = judge(CHIP.evidence(CHIP.report(b"x" * 32)), binding=Nonce(b"x" * 32))
    assert (level(nonce, Claim.FRESH), level(nonce, Claim.BOUND)) == (Level.AFFIRMING, Level.NONE)


def test_values_that_are_not_given_show_nothing():
    for values, claim in (
        (replace(VALUES, least_tcb={}), Claim.TCB),
        (replace(VALUES, measurements=frozenset()), Claim.BOOT),
    ):
        assert level(judge(made(), replace(EXPECTED, values=values)), claim) is Level.NONE
    for least in ({"fmc": 0}, {"snp": 9}):  # Milan has no such part; newer than it runs
        done = judge(made(), replace(EXPECTED, values=replace(VALUES, least_tcb=least)))
        assert level(done, Claim.TCB) is Level.CONTRAINDICATED
    genoa = judge(made(), replace(EXPECTED, values=replace(VALUES, product="Genoa")))
    assert level(genoa, Claim.TCB) is Level.CONTRAINDICATED
    threads = judge(made(), replace(EXPECTED, values=replace(VALUES, allow_smt=False)))
    assert level(threads, Claim.DEBUG) is Level.CONTRAINDICATED


def test_a_revocation_list_is_looked_at_where_it_is_there():
    for listed, shown in (
        (CHIP.root.revoking(), Level.AFFIRMING),
        (CHIP.root.revoking(CHIP.issuer.certificate), Level.CONTRAINDICATED),
        (CHIP.root.revoking(until=-AT.resolution), Level.CONTRAINDICATED),
        (CHIP.issuer.revoking(), Level.CONTRAINDICATED),
        (None, Level.NONE),
    ):
        assert level(judge(replace(made(), crl=listed)), Claim.COLLATERAL) is shown


def test_a_root_of_programs_is_called_one():
    assert not judge(made()).software_tpm
    assert judge(made(), replace(EXPECTED, roots=(CHIP.root.trusted(),))).software_tpm
    assert judge(replace(made(), certificate=None)).software_tpm
