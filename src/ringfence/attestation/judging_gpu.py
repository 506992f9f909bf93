"""What the measurements of an NVIDIA GPU show: that it is a genuine one, that it answers now, and what it measured."""

from datetime import datetime

from ringfence.attestation import certificates, spdm
from ringfence.attestation.certificates import Certificate
from ringfence.attestation.model import Appraisal, Bound, Claim, Expected, GpuEvidence, GpuValues, Level
from ringfence.attestation.spdm import Measured
from ringfence.attestation.verdict import Verdict
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import VerificationFailed

_FWID_EXTENSION = "2.23.133.5.4.1"
_FWID_SIZE = 48  # bytes of SHA-384
_NOT_SHOWN = (
    "Where the machine stands: no report says so.",
    "That the measurements are good: reference values are a service of the maker, and were not asked for.",
    "That confidential computing is switched on, and not in development mode: the report does not say so.",
    "That no key of the chain was revoked: that too is a service of the maker.",
)


def judge(
    evidence: GpuEvidence, expected: Expected, values: GpuValues, binding: Bound | None, at: datetime
) -> Appraisal:
    """Judge a GPU's report claim by claim; raise `MalformedInput` where a part of it cannot be read."""
    measured = spdm.parse(evidence.report)
    chain = [certificates.parse(data) for data in evidence.chain]
    verdict = Verdict()
    device = ""
    if chain:
        verdict.decide(Claim.SIGNATURE, lambda: _signed(measured, chain[0]))
        verdict.trace(lambda: certificates.chained(chain[0], chain[1:], expected.roots, at), "the key")
        verdict.decide(Claim.IDENTITY, lambda: _identified(measured, chain, values))
        if len(chain) > 1:
            device = f"nvidia-gpu:{Digest.of(chain[1].spki)}"
    verdict.bind(measured.nonce, binding)
    verdict.say(Claim.DEBUG, Level.NONE, "the report does not say in which mode the GPU runs")
    verdict.say(
        Claim.TCB,
        Level.NONE,
        f"driver {measured.driver}, VBIOS {measured.vbios}: nothing here says whether they are good",
    )
    verdict.say(Claim.BOOT, Level.NONE, "the maker's reference values are not here to compare the measurements with")
    return verdict.finish(
        expected,
        device=device,
        platform=chain[0].common_name if chain else "",
        measurements={f"measurement-{index}": value.hex() for index, value in measured.measurements.items()},
        not_shown=_NOT_SHOWN,
    )


def _signed(measured: Measured, leaf: Certificate) -> str:
    if not spdm.is_signed(measured, leaf.spki):
        raise VerificationFailed("request and response are not signed by the key of the first certificate")
    after = f"; {measured.after} bytes after the signature were not read" if measured.after else ""
    return f"the GPU signed request and response, with {len(measured.measurements)} measurements{after}"


def _identified(measured: Measured, chain: list[Certificate], values: GpuValues) -> str:
    extension = chain[0].extensions.get(_FWID_EXTENSION)
    whole = extension is not None and len(measured.fwid) == _FWID_SIZE and extension.value.endswith(measured.fwid)
    if len(chain) < 2 or not whole:
        raise VerificationFailed("the certificate is not for the firmware that the report names")
    model = chain[0].common_name.split(" ")[0]
    if values.models and model not in values.models:
        raise VerificationFailed(f"it is a {model or 'GPU of no name'}, not one of {', '.join(sorted(values.models))}")
    return f"it is the {model} whose own key vouches for the signing key"
