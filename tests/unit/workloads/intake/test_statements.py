"""What is stated about models from outside is read back, or refused."""

from dataclasses import replace

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.statement import Strength, Subject
from ringfence.testing.gating import MODEL, manifest
from ringfence.testing.home import signed
from ringfence.workloads.intake import statements
from ringfence.workloads.intake.model import Source, Told

DIGEST = Digest.of(b"it")
DRAFT = statements.quarantined(
    MODEL,
    "tiny",
    manifest({"a": b"1", "b": b"1", "c": b"2"}),
    3,
    Source.FILE,
    Told(DIGEST, "MIT", "FR", "x", "y"),
    DIGEST,
)


def read(services, home, draft):
    envelope, _ = signed(services, home.people[Role.OWNER], draft)
    return statements.claims_of(envelope.statement, statements.QUARANTINED)


def test_files_with_equal_bytes_are_one_subject(services, home):
    assert [subject.name for subject in DRAFT.subjects] == [f"model/{MODEL}", "file/0", "file/1"]
    assert read(services, home, DRAFT)["files"] == 3


@pytest.mark.parametrize(
    "change",
    [
        {"source": "mail"}, {"country": "fr"}, {"licence": ""}, {"files": -1}, {"files": 1}, {"expected": "x"},
        {"model": "b" * 32}, {"more": 1},
    ],
    ids=repr,
)  # fmt: skip
def test_claims_of_another_form_are_refused(services, home, change):
    with pytest.raises(MalformedInput):
        read(services, home, replace(DRAFT, claims={**DRAFT.claims, **change}))


def test_a_model_without_its_files_is_refused(services, home):
    with pytest.raises(MalformedInput):
        read(services, home, replace(DRAFT, subjects=DRAFT.subjects[:1]))
    with pytest.raises(MalformedInput):
        read(services, home, replace(DRAFT, subjects=(*DRAFT.subjects[:2], Subject("other/1", DIGEST))))
    with pytest.raises(Refused):
        read(services, home, replace(DRAFT, strength=Strength.DOCUMENTED))


def test_more_files_than_can_be_named_are_refused():
    many = manifest({f"f{number}": str(number).encode() for number in range(statements.MOST_FILES + 1)})
    with pytest.raises(MalformedInput, match="at most"):
        statements.quarantined(MODEL, "tiny", many, 1, Source.FOLDER, Told(DIGEST, "MIT", "FR", "x", "y"), DIGEST)
