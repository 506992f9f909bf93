"""The published vectors of signed acts: ours and the auditors' file agree on each of them."""

import base64
import importlib.util
import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature

from ringfence.kernel import assertion
from ringfence.kernel.envelope import assemble, key_id_of, pae, parse
from ringfence.kernel.errors import MalformedInput, VerificationFailed

ROOT = Path(__file__).parents[2]
KNOWN = json.loads((ROOT / "docs" / "specs" / "vectors" / "signed-act.json").read_text(encoding="utf-8"))
ENROLLED, PAYLOAD = KNOWN["enrolment"], base64.b64decode(KNOWN["payload"])
POINT = base64.b64decode(ENROLLED["publicKey"])
GOOD = [KNOWN["signature"], *[one["signature"] for one in KNOWN["accepted"]]]


@pytest.fixture(scope="module")
def auditors():
    spec = importlib.util.spec_from_file_location("verify_acts", ROOT / "docs" / "auditors" / "verify_acts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda blob: module.check_assertion(blob, pae(PAYLOAD), ENROLLED | {"public": POINT})


def verify(signature):
    envelope = assemble(PAYLOAD, key_id_of(POINT), signature)
    return envelope.verify_as(ENROLLED["algorithm"], POINT, rp_id=ENROLLED["rpId"], origin=ENROLLED["origin"])


def test_the_envelope_is_made_of_its_parts():
    envelope = assemble(PAYLOAD, key_id_of(POINT), base64.b64decode(KNOWN["signature"]))
    assert envelope == parse(base64.b64decode(KNOWN["envelope"]))
    assert envelope.signer == KNOWN["keyId"]
    challenge = base64.urlsafe_b64encode(assertion.challenge_of(pae(PAYLOAD))).decode().rstrip("=")
    assert challenge == KNOWN["challenge"]


@pytest.mark.parametrize("signature", GOOD)
def test_what_is_good_is_accepted(signature, auditors):
    verify(base64.b64decode(signature))
    auditors(base64.b64decode(signature))


@pytest.mark.parametrize("case", KNOWN["refused"], ids=lambda case: case["name"])
def test_what_is_not_is_refused(case, auditors):
    blob = base64.b64decode(case["signature"])
    with pytest.raises((MalformedInput, VerificationFailed)):
        verify(blob)
    with pytest.raises((ValueError, InvalidSignature)):
        auditors(blob)
