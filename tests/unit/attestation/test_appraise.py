from datetime import timedelta

import pytest

from ringfence.attestation.appraise import appraise
from ringfence.attestation.model import Claim, Level
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import AT


def all_none(appraisal):
    return {judged.level for judged in appraisal.claims.values()} == {Level.NONE} and set(appraisal.claims) == set(
        Claim
    )


def test_evidence_that_is_not_there_shows_nothing():
    done = appraise(None, samples.gpu_expected(), samples.GPU_NONCE, AT)
    assert all_none(done)
    assert not done.acceptable
    assert done.claims[Claim.SIGNATURE].reason == "no evidence was sent"


def test_evidence_of_another_family_shows_nothing():
    done = appraise(samples.gpu(), samples.snp_expected(), samples.GPU_NONCE, AT)
    assert all_none(done)
    assert not done.acceptable


@pytest.mark.parametrize("days", [-31, 31])
def test_reference_values_out_of_their_time_affirm_nothing(days):
    at = AT + timedelta(days=days)
    done = appraise(samples.gpu(), samples.gpu_expected(), samples.GPU_NONCE, at)
    assert all_none(done)
    assert "hold from" in done.claims[Claim.CHAIN].reason
    assert appraise(samples.gpu(), samples.gpu_expected(), samples.GPU_NONCE, AT).acceptable
