import pytest

from ringfence.attestation.model import Binding, Claim, Family, Level, Nonce
from ringfence.attestation.verdict import Verdict
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import VerificationFailed
from ringfence.testing.attestation import Authority, SoftTpm, expected, values_of, written

EXPECTED = expected(Family.TPM2, values_of(SoftTpm(), written([])), (Authority.root().trusted(),))
BINDING = Binding(b"n" * 32, b"key", Digest.of(b"w"), "d")


def levels(verdict):
    return {claim: judged.level for claim, judged in verdict.claims.items()}


def test_nothing_is_shown_at_first():
    assert set(levels(Verdict()).values()) == {Level.NONE}
    assert set(levels(Verdict())) == set(Claim)


def test_a_check_affirms_or_contradicts():
    verdict = Verdict()
    assert verdict.decide(Claim.BOOT, lambda: "right")

    def check():
        raise VerificationFailed("wrong")

    assert not verdict.decide(Claim.TCB, check)
    assert verdict.claims[Claim.TCB].reason == "wrong"
    assert levels(verdict)[Claim.TCB] is Level.CONTRAINDICATED


def test_a_binding_binds_and_a_nonce_is_only_fresh():
    for bound, carried, fresh, tied in (
        (BINDING, BINDING.digest, Level.AFFIRMING, Level.AFFIRMING),
        (Nonce(b"abc"), b"abc", Level.AFFIRMING, Level.NONE),
        (BINDING, b"x" * 32, Level.CONTRAINDICATED, Level.CONTRAINDICATED),
        (Nonce(b""), b"", Level.CONTRAINDICATED, Level.CONTRAINDICATED),
        (Nonce(bytes(32)), bytes(32), Level.CONTRAINDICATED, Level.CONTRAINDICATED),
        (None, b"x", Level.NONE, Level.NONE),
    ):
        verdict = Verdict()
        verdict.bind(carried, bound)
        assert (levels(verdict)[Claim.FRESH], levels(verdict)[Claim.BOUND]) == (fresh, tied)


def test_the_rest_of_report_data_is_zero():
    for rest, level in ((bytes(32), Level.AFFIRMING), (b"\1" + bytes(31), Level.CONTRAINDICATED)):
        verdict = Verdict()
        verdict.bind(BINDING.digest + rest, BINDING, size=64)
        assert levels(verdict)[Claim.FRESH] is level


def test_without_a_signature_nothing_is_shown():
    verdict = Verdict()
    for claim in Claim:
        if claim is not Claim.SIGNATURE:
            verdict.say(claim, Level.AFFIRMING, "right")
    done = verdict.finish(EXPECTED)
    shown = {claim for claim, judged in done.claims.items() if judged.level is Level.AFFIRMING}
    assert shown == {Claim.CHAIN, Claim.COLLATERAL}


@pytest.mark.parametrize("nonce", [b"", b"\0", bytes(64)])
def test_zeros_in_report_data_answer_no_challenge(nonce):
    verdict = Verdict()
    verdict.bind(bytes(64), Nonce(nonce), size=64)
    assert levels(verdict)[Claim.FRESH] is Level.CONTRAINDICATED


@pytest.mark.parametrize("software", [False, True])
def test_only_a_root_that_was_reached_vouches_for_hardware(software):
    verdict = Verdict()
    assert verdict.finish(EXPECTED).software_tpm
    verdict.trace(lambda: Authority.root().trusted(software=software), "the key")
    done = verdict.finish(EXPECTED, not_shown=("That.",))
    assert done.software_tpm is software
    assert len(done.not_shown) == 1 + software

    def find():
        raise VerificationFailed("no root")

    verdict = Verdict()
    verdict.trace(find, "the key")
    assert verdict.finish(EXPECTED).software_tpm
    assert levels(verdict)[Claim.CHAIN] is Level.CONTRAINDICATED
