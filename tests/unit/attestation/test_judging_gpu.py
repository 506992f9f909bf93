from dataclasses import replace

import pytest

from ringfence.attestation import spdm
from ringfence.attestation.appraise import appraise
from ringfence.attestation.model import Claim, GpuValues, Level, Nonce
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import AT, Authority, private_key


def judge(evidence=None, wanted=None, binding=samples.GPU_NONCE):
    return appraise(evidence or samples.gpu(), wanted or samples.gpu_expected(), binding, AT)


def level(appraisal, claim):
    return appraisal.claims[claim].level


def test_a_genuine_h100_answers_this_nonce_and_no_more_is_said():
    done = judge()
    assert done.acceptable
    assert done.platform == "GH100 A01 GSP FMC LF"
    assert len(done.measurements) == 64
    assert {claim for claim in Claim if level(done, claim) is Level.AFFIRMING} == samples.GENUINE
    assert any("measurements are good" in sentence for sentence in done.not_shown)


@pytest.mark.parametrize("claim", sorted(set(Claim) - samples.GENUINE))
def test_whoever_demands_more_is_refused(claim):
    done = judge(wanted=samples.gpu_expected(samples.GENUINE | {claim}))
    assert level(done, claim) is Level.NONE
    assert not done.acceptable
    assert not samples.gpu_expected(samples.GENUINE | {claim}).suffices_for_release


def test_bytes_after_the_signature_change_nothing():
    done = judge(replace(samples.gpu(), report=samples.gpu().report + b"\0" * 13))
    assert done.acceptable
    assert "13 bytes after" in done.claims[Claim.SIGNATURE].reason


def test_an_old_nonce_is_refused():
    assert level(judge(binding=Nonce(b"x" * 32)), Claim.FRESH) is Level.CONTRAINDICATED
    assert level(judge(binding=None), Claim.FRESH) is Level.NONE


def test_chains_that_are_not_right():
    chain = samples.gpu().chain
    root = Authority.root("NVIDIA Device Identity CA", 44)
    for wrong, claim in (
        ((), Claim.SIGNATURE),
        (chain[:1], Claim.CHAIN),
        (chain[::-1], Claim.SIGNATURE),
        ((*chain[:-1], root.certificate), Claim.CHAIN),
        ((root.certify("GH100 A01 GSP FMC LF", private_key(3)), *chain[1:]), Claim.IDENTITY),
    ):
        done = judge(replace(samples.gpu(), chain=wrong))
        assert level(done, claim) is not Level.AFFIRMING
        assert not done.acceptable


def test_another_model_is_refused():
    wanted = replace(samples.gpu_expected(), values=GpuValues(frozenset({"GB100"})))
    assert level(judge(wanted=wanted), Claim.IDENTITY) is Level.CONTRAINDICATED


def test_the_firmware_is_named_whole():
    report, (leaf, *above) = samples.gpu().report, samples.gpu().chain
    fwid = spdm.parse(report).fwid
    field = report.index((20).to_bytes(2, "little") + (48).to_bytes(2, "little") + fwid)
    opaque = sum(len(value) + 4 for value in spdm.parse(report).opaque.values())
    start = len(spdm.parse(report).signed) - opaque
    short = report[:field] + (20).to_bytes(2, "little") + (1).to_bytes(2, "little") + fwid[-1:] + report[field + 52 :]
    size = int.from_bytes(report[start - 2 : start], "little") - 47
    short = short[: start - 2] + size.to_bytes(2, "little") + short[start:]
    assert spdm.parse(short).fwid == fwid[-1:]
    assert level(judge(replace(samples.gpu(), report=short)), Claim.IDENTITY) is Level.CONTRAINDICATED
    root = Authority.root("NVIDIA Device Identity CA", 44)
    other = root.certify("GH100 A01 GSP FMC LF", private_key(3), extensions={"2.23.133.5.4.1": b"x" * 60})
    assert level(judge(replace(samples.gpu(), chain=(other, *above))), Claim.IDENTITY) is Level.CONTRAINDICATED
    assert level(judge(replace(samples.gpu(), chain=(leaf,))), Claim.IDENTITY) is Level.CONTRAINDICATED
