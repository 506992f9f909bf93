import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ringfence.artifacts.models.billing import claims, schema_errors
from ringfence.artifacts.models.bom import bill
from ringfence.artifacts.models.materials import gather
from ringfence.testing.materials import MANIFEST, WHOLE, logged


@pytest.fixture(scope="module")
def whole():
    return logged(WHOLE)


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (1, "seal of dataset"),
        (2, "licence of dataset"),
        (3, "licence of base model"),
        (4, "signature of base model"),
        (5, "run that made the model"),
        (7, "scan of the model"),
    ],
)
def test_what_is_not_stated_is_absent_and_listed(whole, without, said):
    known = gather([one for one in whole if one.entry != without], "tiny")
    made_of = bill(known, MANIFEST)
    assert any(one.startswith(said) for one in made_of.absent), made_of.absent
    assert not any(one.startswith(said) for one in bill(gather(whole, "tiny"), MANIFEST).absent)
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(made_of.printed.decode()) is None
    document = json.loads(made_of.printed)
    listed = [one["value"] for one in document["metadata"]["properties"] if one["name"] == "ringfence:absent"]
    assert listed == list(made_of.absent)


def test_the_claims_are_counted_from_the_bytes(whole):
    known = gather(whole, "tiny")
    printed = bill(known, MANIFEST).printed
    said = claims(printed, known, MANIFEST)
    assert (said["modelFiles"], said["filesMatched"], said["datasets"]) == (2, 2, 1)
    assert (said["schemaErrors"], said["danglingReferences"], said["withoutLicence"]) == (0, 0, 0)
    assert said["holds"] == ["base-models", "datasets", "libraries", "licences", "model-files", "training-code"]
    document = json.loads(printed)
    document["components"][0]["bom-ref"] = "moved"
    del document["components"][0]["licenses"], document["components"][0]["hashes"]
    document["metadata"]["component"]["components"][0]["hashes"][0]["content"] = "0" * 64
    document["unknown"] = 1
    wrong = claims(json.dumps(document).encode(), known, MANIFEST)
    assert wrong["filesMatched"] == wrong["datasetsUnsealed"] == wrong["withoutLicence"] == wrong["schemaErrors"] == 1
    assert wrong["danglingReferences"] >= 2


def test_our_schema_refuses_what_the_foreign_validator_refuses(whole):
    document = json.loads(bill(gather(whole, "tiny"), MANIFEST).printed)
    strict = JsonStrictValidator(SchemaVersion.V1_7)
    assert schema_errors(document)[1] == 0

    def wrong(change):
        changed = json.loads(json.dumps(document))
        change(changed)
        return changed

    for change in (
        lambda one: one.update(more=1),
        lambda one: one["metadata"].update(timestamp=1),
        lambda one: one["components"][0].update(type="thing"),
        lambda one: one["components"][0]["hashes"][0].update(alg="SHA-0"),
        lambda one: one["metadata"]["component"]["licenses"][0]["license"].update(id="no-such-licence"),
        lambda one: one["formulation"][0]["workflows"][0].pop("uid"),
        lambda one: one.update(serialNumber="urn:uuid:x"),
    ):
        assert strict.validate_str(json.dumps(wrong(change))) is not None
        assert schema_errors(wrong(change))[1] > 0
