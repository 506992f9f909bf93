"""The one question: does this evidence show, at this time, what is expected."""

from datetime import datetime

from ringfence.attestation import judging_gpu, judging_snp, judging_tdx, judging_tpm
from ringfence.attestation.model import (
    Activation,
    Appraisal,
    Bound,
    Claim,
    Evidence,
    Expected,
    GpuEvidence,
    GpuValues,
    Judged,
    Level,
    SnpEvidence,
    SnpValues,
    TdxEvidence,
    TdxValues,
    TpmEvidence,
    TpmValues,
)


def appraise(
    evidence: Evidence | None,
    expected: Expected,
    binding: Bound | None,
    at: datetime,
    *,
    activation: Activation = Activation.NONE,
) -> Appraisal:
    """Judge evidence claim by claim.

    Evidence that is not there or of another family shows nothing, nor does any by reference values out of their time.

    Args:
        evidence: what the node sent; None where it sent nothing.
        expected: the reference document.
        binding: the challenge; a `Nonce` shows freshness alone.
        at: the time by which certificates and collateral are judged.
        activation: of a TPM, how it is known that its keys live in one TPM.

    Raises:
        MalformedInput: a part of the evidence cannot be read: it is refused.
    """
    match evidence, expected.values:
        case None, _:
            return nothing(expected, "no evidence was sent")
        case TpmEvidence(), TpmValues():
            done = judging_tpm.judge(evidence, expected, expected.values, binding, at, activation)
        case SnpEvidence(), SnpValues():
            done = judging_snp.judge(evidence, expected, expected.values, binding, at)
        case TdxEvidence(), TdxValues():
            done = judging_tdx.judge(evidence, expected, expected.values, binding, at)
        case GpuEvidence(), GpuValues():
            done = judging_gpu.judge(evidence, expected, expected.values, binding, at)
        case _:
            return nothing(expected, f"the evidence is of {evidence.family}, and {expected.family} is expected")
    if not expected.made_at <= at <= expected.valid_until:
        window = f"from {expected.made_at:%Y-%m-%d %H:%M} to {expected.valid_until:%Y-%m-%d %H:%M}"
        return nothing(expected, f"the reference values hold {window}, and not at {at:%Y-%m-%d %H:%M}")
    return done


def nothing(expected: Expected, reason: str) -> Appraisal:
    """Return the appraisal in which nothing is shown, and why."""
    return Appraisal(expected.family, dict.fromkeys(Claim, Judged(Level.NONE, reason)), expected.demands)
