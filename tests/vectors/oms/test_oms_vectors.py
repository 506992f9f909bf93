"""The published bundles of OMS 1.0 are told apart as their folders say, and ours fit the published schemas."""

import base64
import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
from cryptography.x509 import load_der_x509_certificate
from referencing import Registry, Resource

from ringfence.artifacts.models import oms
from ringfence.artifacts.models.bundle import chain_of, material_of
from ringfence.artifacts.models.certificates import Authorities
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.testing.models import key

HERE = Path(__file__).parent
TRUSTED = [key().public]


def schemas():
    found = [json.loads(path.read_text()) for path in sorted((HERE / "schemas").glob("*.json"))]
    return {one["$id"]: one for one in found}


def check(name, document):
    known = schemas()
    registry = Registry().with_resources([(name, Resource.from_contents(one)) for name, one in known.items()])
    found = next(one for address, one in known.items() if f"/{name}/" in address)
    jsonschema.Draft202012Validator(found, registry=registry).validate(document)


def payload(data):
    return base64.b64decode(json.loads(data)["dsseEnvelope"]["payload"])


def test_our_bundles_fit_the_published_schemas():
    files = {"a": Digest.of(b""), "b/é": Digest.of(b"x")}
    bundle = oms.sign(oms.manifest_of("model", files), key())
    check("bundle", json.loads(bundle))
    statement = json.loads(payload(bundle))
    check("statement", statement)
    check("predicate", statement["predicate"])


def test_a_valid_bundle_is_read_up_to_the_key_that_nobody_has():
    data = (HERE / "valid" / "key.bundle.json").read_bytes()
    with pytest.raises(VerificationFailed, match=r"e8450dec4eb99dae.*not among those"):
        oms.verify(data, TRUSTED)
    with pytest.raises(VerificationFailed, match="ignore 'ignore-me'"):  # the signer's exemption is not taken
        oms._files(payload(data), "")
    statement = json.loads(payload(data))
    statement["predicate"]["serialization"]["ignore_paths"].remove("ignore-me")
    manifest = oms._files(json.dumps(statement).encode(), "").manifest
    assert [one.name for one in manifest.files] == ["signme-1", "signme-2"]
    assert manifest.root.hex == "92745110b1ab4368471cbe31664e10174e954b113a3df333db860317b2c6dec4"


def test_a_bundle_of_minutes_is_refused_with_a_sentence():
    with pytest.raises(MalformedInput, match="certificate of minutes"):
        oms.verify((HERE / "valid" / "sigstore.bundle.json").read_bytes(), TRUSTED)


def test_a_valid_chain_is_read_up_to_the_root_and_is_judged_at_its_own_time():
    data = (HERE / "valid" / "certificate.bundle.json").read_bytes()
    with pytest.raises(VerificationFailed, match="--root"):
        oms.verify(data, TRUSTED)
    chain = [load_der_x509_certificate(one) for one in chain_of(material_of(json.loads(data)))]
    own = chain[0].not_valid_before_utc
    with pytest.raises(VerificationFailed, match="ignore 'ignore-me'"):  # after chain and signature were found good
        oms.read(data, oms.Trust(authorities=Authorities([chain[-1]], own)))
    for wrong in (Authorities([chain[-1]], own - timedelta(days=1)), Authorities([], own)):
        with pytest.raises(VerificationFailed, match=r"no way leads|holds from"):
            oms.read(data, oms.Trust(authorities=wrong))


@pytest.mark.parametrize("path", sorted((HERE / "invalid").iterdir()), ids=lambda path: path.name)
def test_invalid_bundles_are_refused(path):
    with pytest.raises(MalformedInput):
        oms.verify(path.read_bytes(), TRUSTED)


def test_another_predicate_is_refused():
    data = (HERE / "invalid-payload" / "wrong-predicate.bundle.json").read_bytes()
    with pytest.raises((MalformedInput, VerificationFailed)):
        oms._files(payload(data), "")
