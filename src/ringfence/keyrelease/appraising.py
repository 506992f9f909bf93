"""Judge evidence against the references that a rule names, and make the credential that only its TPM opens. Pure.

A reference counts because the person who signed the rule named its digest: by whom else it is signed, is that person's
to look at (`ringfence attestation verify`).
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.attestation import credential, document, judging_tpm, reference
from ringfence.attestation.appraise import appraise
from ringfence.attestation.model import RELEASE, Activation, Binding, Evidence, Expected, TpmEvidence
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.keyrelease.ports import Judged


@dataclass(frozen=True, slots=True)
class Appraising:
    """`keyrelease.ports.Appraiser` over the verifiers."""

    def check(self, reference: bytes) -> None:
        """Return where a document is a reference that demands enough for a release; raise `MalformedInput`."""
        expected = expected_of(reference)
        if not expected.suffices_for_release:
            missing = ", ".join(sorted(RELEASE[expected.family] - expected.demands))
            raise MalformedInput(f"the reference {expected.name[:80]} has to demand {missing} before a key rests on it")

    def judge(self, evidence: bytes, references: Sequence[bytes], binding: Binding, at: datetime) -> Judged:
        """Return the verdict against the reference that fits best; raise `MalformedInput` where it is no evidence."""
        parsed = document.parse(evidence, source="evidence")
        fitting = [one for one in references if _fits(expected_of(one), parsed)]
        judged = [_judged(parsed, one, binding, at) for one in fitting]
        if not judged:
            return Judged(parsed.family, None, None)
        return min(judged, key=_shortfall)

    def credential(self, evidence: bytes, secret: bytes, random: Callable[[int], bytes]) -> bytes | None:
        """Return a credential with the secret for the TPM of the evidence; None for families without a TPM."""
        parsed = document.parse(evidence, source="evidence")
        if not isinstance(parsed, TpmEvidence):
            return None
        endorsement, name = judging_tpm.endorsement(parsed)
        made = credential.make(endorsement, name, secret, random)
        return made.blob + made.secret


def expected_of(data: bytes) -> Expected:
    """Return what a reference document expects, signed or not; raise `MalformedInput`."""
    match digest.loads(data, source="reference", limit=reference.MAX_DOCUMENT):
        case {"payload": str() as payload, "payloadType": kind, "signatures": list()} if kind == reference.PAYLOAD_TYPE:
            try:
                return reference.parse(base64.b64decode(payload, validate=True), source="reference")
            except ValueError as error:
                raise MalformedInput("the payload is not standard base64", source="reference") from error
        case _:
            return reference.parse(data, source="reference")


def _fits(expected: Expected, evidence: Evidence) -> bool:
    return expected.family is evidence.family and expected.suffices_for_release


def _judged(evidence: Evidence, data: bytes, binding: Binding, at: datetime) -> Judged:
    # Whatever is released to a TPM is encrypted with a secret that only this TPM gives back for this very key.
    done = appraise(evidence, expected_of(data), binding, at, activation=Activation.ENFORCED)
    anchor = _anchor(evidence, expected_of(data), binding, at) if done.acceptable else ""
    return Judged(evidence.family, done, Digest.of(data), anchor)


def _anchor(evidence: Evidence, expected: Expected, binding: Binding, at: datetime) -> str:
    """Return the key of the one root that the device's certificates lead to: what it says of devices is its word."""
    for root in expected.roots:
        alone = replace(expected, roots=(root,))
        if (
            len(expected.roots) == 1
            or appraise(evidence, alone, binding, at, activation=Activation.ENFORCED).acceptable
        ):
            return str(root.key)
    return ""


def _shortfall(judged: Judged) -> tuple[bool, int]:
    done = judged.appraisal
    return (done is None or not done.acceptable, len(done.lacking) if done else 0)
