"""The published bundles of OMS 1.0 are told apart as their folders say, and ours fit the published schemas."""

import base64
import json
from pathlib import Path

import jsonschema
import pytest
from referencing import Registry, Resource

from ringfence.artifacts.models import oms
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
        oms._manifest(payload(data), "")
    statement = json.loads(payload(data))
    statement["predicate"]["serialization"]["ignore_paths"].remove("ignore-me")
    manifest = oms._manifest(json.dumps(statement).encode(), "")
    assert [one.name for one in manifest.files] == ["signme-1", "signme-2"]
    assert manifest.root.hex == "92745110b1ab4368471cbe31664e10174e954b113a3df333db860317b2c6dec4"


@pytest.mark.parametrize("name", ["certificate", "sigstore"])
def test_bundles_with_certificates_are_refused_with_a_sentence(name):
    with pytest.raises(MalformedInput, match="certificate"):
        oms.verify((HERE / "valid" / f"{name}.bundle.json").read_bytes(), TRUSTED)


@pytest.mark.parametrize("path", sorted((HERE / "invalid").iterdir()), ids=lambda path: path.name)
def test_invalid_bundles_are_refused(path):
    with pytest.raises(MalformedInput):
        oms.verify(path.read_bytes(), TRUSTED)


def test_another_predicate_is_refused():
    data = (HERE / "invalid-payload" / "wrong-predicate.bundle.json").read_bytes()
    with pytest.raises((MalformedInput, VerificationFailed)):
        oms._manifest(payload(data), "")
