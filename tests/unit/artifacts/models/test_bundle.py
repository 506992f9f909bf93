import base64
import json

import pytest

from ringfence.artifacts.models import bundle, oms
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.models import key

DOCUMENT = json.loads(oms.sign(oms.manifest_of("m", {"a": Digest.of(b"1")}), key(), [b"one", b"two"]))


def test_the_layers_of_a_bundle():
    material = bundle.material_of(DOCUMENT)
    assert bundle.chain_of(material) == [b"one", b"two"]
    assert bundle.tokens_of(material) == []
    stamped = json.loads(oms.stamped(json.dumps(DOCUMENT).encode(), b"token"))
    assert bundle.tokens_of(bundle.material_of(stamped)) == [b"token"]
    assert bundle.signed_of(stamped) == bundle.signed_of(DOCUMENT)
    assert bundle.hint_of({"publicKey": {"hint": "h"}, "tlogEntries": []}) == "h"


@pytest.mark.parametrize(
    "material",
    [
        {},
        {"certificate": {"rawBytes": ""}},
        {"x509CertificateChain": {"certificates": []}},
        {"x509CertificateChain": {"certificates": "x"}},
        {"x509CertificateChain": {"certificates": [{"rawBytes": 1}]}},
        {"x509CertificateChain": {"certificates": [{"rawBytes": "?"}]}},
        {"x509CertificateChain": {"certificates": [{"rawBytes": "AA=="}]}, "publicKey": {"hint": "h"}},
        {"publicKey": {"hint": "h"}, "timestampVerificationData": {"rfc3161Timestamps": [1]}},
        {"publicKey": {"hint": "h"}, "timestampVerificationData": {"other": []}},
        {"publicKey": {"hint": "h"}, "more": 1},
    ],
)
def test_a_material_of_another_kind_is_refused(material):
    with pytest.raises(MalformedInput):
        _ = bundle.chain_of(material), bundle.tokens_of(material), bundle.hint_of(material)


@pytest.mark.parametrize(
    "envelope",
    [
        None,
        {},
        {"payload": "", "payloadType": "x", "signatures": [{"sig": ""}]},
        {"payload": "?", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": ""}]},
        {"payload": "", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": ""}, {"sig": ""}]},
    ],
)
def test_an_envelope_of_another_kind_is_refused(envelope):
    with pytest.raises(MalformedInput):
        bundle.signed_of({"dsseEnvelope": envelope})
    assert base64.b64encode(b"one").decode() in json.dumps(DOCUMENT)
