import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ringfence.artifacts.models.billing import references
from ringfence.artifacts.models.bom import bill
from ringfence.artifacts.models.materials import gather
from ringfence.artifacts.models.oms import manifest_of
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import VerificationFailed
from ringfence.testing.materials import BASE, MANIFEST, SEAL, SEALED, WHOLE, logged


@pytest.fixture(scope="module")
def whole():
    return logged(WHOLE)


def properties(part):
    return {one["name"].removeprefix("ringfence:"): one["value"] for one in part["properties"]}


def test_everything_that_is_stated_is_in_it_with_its_statement(whole):
    known = gather(whole, "tiny")
    document = json.loads(bill(known, MANIFEST).printed)
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(document)) is None
    named = {f"sha256:{one.envelope.digest.hex}": str(one.envelope.statement.predicate) for one in whole}
    text = json.dumps(document)
    assert {predicate for envelope, predicate in named.items() if envelope in text} == set(named.values())
    assert f"sha256:{whole[0].envelope.digest.hex}" not in text  # an older epoch was not trained on
    model = document["metadata"]["component"]
    assert {one["name"]: one["hashes"][0]["content"] for one in model["components"]} == {
        one.name: one.digest.hex for one in MANIFEST.files
    }
    parts = {one["bom-ref"]: one for one in document["components"]}
    data = next(one for one in parts.values() if one["type"] == "data")
    assert (data["hashes"][0]["content"], data["version"]) == (SEAL.hex, "2")
    assert data["licenses"] == [{"license": {"id": "CC-BY-4.0"}}]
    assert properties(data)["plaintextRoot"] == SEALED["plaintextRoot"]
    assert properties(data)["ciphertextRoot"] == SEALED["ciphertextRoot"]
    assert parts[f"base:{BASE.hex}"]["licenses"] == [{"license": {"name": "LicenseRef-house"}}]
    assert model["pedigree"]["ancestors"][0]["name"] == "base"
    assert parts[f"code:{'c' * 40}"]["pedigree"]["commits"] == [{"uid": "c" * 40}]
    assert parts["pkg:pypi/torch@2.9.0+cpu"]["version"] == "2.9.0+cpu"
    workflow = document["formulation"][0]["workflows"][0]
    assert properties(workflow)["environment"] == str(Digest.of(b"lock"))
    assert {one["resource"]["ref"] for one in workflow["inputs"]} == {
        data["bom-ref"],
        f"base:{BASE.hex}",
        f"code:{'c' * 40}",
    }
    assert "secret" not in text  # the command is the operator's own
    given, used = references(document)
    assert set(used) <= set(given)
    assert len(set(given)) == len(given)
    assert document["metadata"]["timestamp"] == known["signed"]["statement"]["issuedAt"]


def test_the_same_log_gives_the_same_bytes_and_another_does_not(whole):
    first, second = (bill(gather(whole, "tiny"), MANIFEST).printed for _ in range(2))
    assert first == second
    fewer = bill(gather(whole[1:], "tiny"), MANIFEST).printed
    assert fewer == first  # what it does not rest on changes nothing
    assert bill(gather([one for one in whole if one.entry != 2], "tiny"), MANIFEST).printed != first


def test_other_files_than_those_that_are_signed_are_refused(whole):
    with pytest.raises(VerificationFailed, match="newest signed version"):
        bill(gather(whole, "tiny"), manifest_of("tiny", {"a": Digest.of(b"x")}))
