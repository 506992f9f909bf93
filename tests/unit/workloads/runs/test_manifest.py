import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from ringfence.artifacts.models import oms
from ringfence.kernel.digest import Digest
from ringfence.testing.runs import trace
from ringfence.workloads.runs import manifest
from ringfence.workloads.runs.model import Code, CodeKind, Ended, InputPlace, Lock, Machine, Outcome, Outputs, Place

SPECS = Path(__file__).parents[4] / "docs" / "specs" / "predicates"
SALT = bytes(range(32))
BARE = replace(
    trace(), place=Place(), inputs=(), input_place=InputPlace.NONE, code=Code(CodeKind.NONE), lock=Lock(),
    machine=Machine(), outputs=Outputs(), ended=Ended(Outcome.LOST),
)  # fmt: skip


@pytest.mark.parametrize("told", [trace(), BARE])
def test_claims_fit_the_published_schema(told):
    schema = json.loads((SPECS / "run.manifest.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(manifest.claims(told, SALT), schema)
    assert schema["required"] == sorted(manifest.claims(told, SALT))


def test_no_name_and_no_word_of_the_command_is_a_claim():
    drafted = manifest.draft(trace(), SALT)
    said = json.dumps([dict(drafted.claims), [[s.name, str(s.digest)] for s in drafted.subjects]])
    for word in ("train.py", "claims", "model.onnx", "log.txt", "TOKEN", "numpy"):
        assert word not in said
    assert "hidden" not in said + json.dumps(dict(drafted.details)), "values of variables are kept nowhere"


def test_the_same_code_under_another_salt_is_another_commitment():
    one, other = manifest.claims(trace(), SALT), manifest.claims(trace(), bytes(32))
    assert one["changesCommitment"] != other["changesCommitment"]
    assert one["outputsDigest"] == other["outputsDigest"]


def test_the_folder_is_named_as_a_signed_model_of_the_same_files_is():
    files = trace().outputs.files
    signed = oms.manifest_of("anything", {file.path: file.digest for file in files})
    assert manifest.folder(files) == manifest.folder(reversed(files)) == signed.digest
    assert manifest.folder(()) is None


def test_swapped_names_give_another_folder():
    one, other = trace().outputs.files
    swapped = (replace(one, path=other.path), replace(other, path=one.path))
    assert manifest.folder(swapped) != manifest.folder((one, other))


def test_the_run_and_its_outputs_are_the_subjects():
    assert [subject.name for subject in manifest.subjects(trace(), SALT)] == [
        f"run/{trace().run}",
        f"outputs/{trace().run}",
    ]
    assert [subject.name for subject in manifest.subjects(BARE, SALT)] == [f"run/{trace().run}"]
    assert manifest.subjects(BARE, SALT)[0].digest != Digest.of(trace().run.encode())


def test_what_is_shown():
    shown = manifest.shown(trace())
    assert shown["code"] == "commit cccccccccccc, 1 files differ"
    assert shown["milliseconds"] == 3000
    assert manifest.shown(replace(trace(), code_changed=True))["code"].endswith("changed while it ran")
    assert "unknown" in manifest.shown(BARE)["code"]
