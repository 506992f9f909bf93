import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import key_id_of
from ringfence.testing.runs import trace
from ringfence.workloads.runs import provenance

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RUNNER = key_id_of(KEY.public_key().public_bytes_raw())
DOCUMENT = provenance.statement(trace(), runner=RUNNER, version="0.1", envelope=Digest.of(b"e"))


def signed():
    return json.loads(provenance.signed(DOCUMENT, runner=RUNNER, sign=KEY.sign))


def test_in_totos_own_library_takes_the_statement():
    parsed = json_format.ParseDict(DOCUMENT, statement_pb2.Statement())  # refuses a field that it does not know
    Statement.copy_from_pb(parsed).validate()
    assert [subject.name for subject in parsed.subject] == ["model.onnx", "deep/log.txt"]


def test_securesystemslib_verifies_the_envelope():
    public = SSlibKey(RUNNER, "ed25519", "ed25519", {"public": KEY.public_key().public_bytes_raw().hex()})
    Envelope.from_dict(signed()).verify([public], 1)
    changed = signed()
    payload = base64.b64decode(changed["payload"]).replace(b"model.onnx", b"other.onnx")
    changed["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(VerificationError):
        Envelope.from_dict(changed).verify([public], 1)


def test_it_has_what_slsa_v1_requires():
    predicate = DOCUMENT["predicate"]
    assert DOCUMENT["predicateType"] == "https://slsa.dev/provenance/v1"
    build, run = predicate["buildDefinition"], predicate["runDetails"]
    assert build.keys() == {"buildType", "externalParameters", "internalParameters", "resolvedDependencies"}
    assert run.keys() == {"builder", "metadata", "byproducts"}
    assert run["builder"]["id"].endswith(RUNNER)
    for resource in [*build["resolvedDependencies"], *run["byproducts"]]:
        assert resource.get("uri") or resource.get("digest")
        assert resource.keys() <= {"name", "uri", "digest", "annotations", "mediaType"}


def test_data_code_and_environment_are_dependencies_and_values_are_not_told():
    found = {d["name"]: d["digest"] for d in DOCUMENT["predicate"]["buildDefinition"]["resolvedDependencies"]}
    assert found.keys() == {"claims", "base", "commit", "diff", "train.py", "b.sh", "environment"}
    assert found["commit"] == {"gitCommit": "c" * 40}
    assert "hidden" not in json.dumps(DOCUMENT)
