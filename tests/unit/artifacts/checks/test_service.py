from dataclasses import replace

import pytest

from ringfence.artifacts import statements as seals
from ringfence.artifacts.checks import policy, report, statements
from ringfence.artifacts.checks.model import Check, Outcome, Result
from ringfence.artifacts.checks.service import DatasetChecks
from ringfence.artifacts.model import Custody, DatasetName
from ringfence.kernel.errors import MalformedInput, NotFound, Refused
from ringfence.kernel.evidence import Stage
from ringfence.testing.artifacts import PERSON, MemoryControl, sealed_in_memory


@pytest.fixture
def control():
    return MemoryControl()


@pytest.fixture
def sealed(control):
    made = sealed_in_memory({"a": b"12"})
    name = DatasetName("claims")
    draft = seals.sealed(made.seal, made.digest, Custody.FILE_PLAIN, name)
    return control.service.seal(PERSON, name, *control.signed(draft))[0]


def draft(dataset):
    found = report.ordered({check: Result(check, Outcome.PASSED) for check in Check})
    made = report.Report("claims", "sha256:0", policy.parse({}), "1.0", 5, 1, found)
    return statements.checked(dataset, made, b"printed", bytes(32))


def test_a_check_of_a_recorded_epoch_is_recorded(control, sealed):
    done = DatasetChecks(control.service).state(PERSON, sealed.dataset, *control.signed(draft(sealed)))
    assert done.stage is Stage.PUBLISHED
    assert control.stated[-1].predicate == "dataset.checked"


def test_another_epoch_dataset_or_side_record_is_refused_and_not_recorded(control, sealed):
    checks, before = DatasetChecks(control.service), len(control.stated)
    with pytest.raises(NotFound):
        checks.state(PERSON, sealed.dataset, *control.signed(draft(replace(sealed, epoch=2))))
    with pytest.raises(NotFound):
        checks.state(PERSON, "f" * 32, *control.signed(draft(sealed)))
    other = replace(sealed, dataset="f" * 32)
    with pytest.raises(Refused):
        checks.state(PERSON, sealed.dataset, *control.signed(draft(other)))
    with pytest.raises(MalformedInput):
        checks.state(PERSON, sealed.dataset, *control.signed(replace(draft(sealed), details={})))
    assert len(control.stated) == before
