import io

from rich.console import Console

from ringfence.attestation import rendering
from ringfence.attestation.appraise import appraise
from ringfence.testing import attestation_samples as samples
from ringfence.testing.attestation import AT


def shown(evidence, wanted, nonce):
    console = Console(file=io.StringIO(), width=160, markup=False, highlight=False)
    rendering.appraised(console, appraise(evidence, wanted, nonce, AT))
    return console.file.getvalue()


def test_every_claim_has_a_line_and_the_end_says_what_is_not_shown():
    text = shown(samples.snp(), samples.snp_expected(), samples.SNP_NONCE)
    assert text.startswith("refused: debug not shown")
    assert "contraindicated" in text
    for claim in samples.snp_expected().demands:
        assert claim.value in text
    assert text.rstrip().endswith("What the guest did after it was started.")


def test_what_is_acceptable_is_said_to_be():
    assert shown(samples.gpu(), samples.gpu_expected(), samples.GPU_NONCE).startswith("acceptable:")
    assert "no device is named" in shown(None, samples.gpu_expected(), samples.GPU_NONCE)
