from dataclasses import dataclass, replace
from datetime import date

import pytest

from ringfence.artifacts import statements as seals
from ringfence.artifacts.checks import policy, report, statements
from ringfence.artifacts.checks.history import When
from ringfence.artifacts.checks.model import Check, Outcome, Result
from ringfence.artifacts.checks.screened import Ground, Screened
from ringfence.artifacts.checks.screened import draft as screen_draft
from ringfence.artifacts.checks.service import DatasetChecks, DatasetHistories, DatasetScreens
from ringfence.artifacts.model import Custody, DatasetName
from ringfence.kernel.errors import MalformedInput, NotFound, Refused
from ringfence.kernel.evidence import Stage
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.testing.artifacts import PERSON, MemoryControl, sealed_in_memory
from ringfence.testing.screened import TOLD, screening


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


@dataclass
class Logged:
    entry: int
    envelope: object
    opening: None = None
    standing: str = "trusted"


@dataclass
class Log:
    control: MemoryControl

    def statements(self, tenant, predicates=None, *, at=None):
        del tenant, at
        found = (Logged(entry, one) for entry, one in enumerate(self.control.recorder.admitted))
        return [one for one in found if one.envelope.statement.predicate in set(predicates)]


@pytest.fixture
def taken():
    return []


@pytest.fixture
def screens(control, taken):
    def take(person, name, envelope, opening):
        taken.append((person, name, opening))
        return control.recorder.admit(envelope, opening, by=person)

    return DatasetScreens(DatasetHistories(control.service, Log(control)), take)


def screen(dataset, order=When.BEFORE, untrusted=0):
    one = Screened(dataset, screening(), Ground(order, untrusted), "0.1.0")
    return screen_draft(one, one.files(), {"report": bytes(32), "quarantine": bytes(32)}, date(2026, 11, 23))


def describe(control, sealed):
    draft = seals.provenance(sealed, TOLD, bytes(32))
    control.service.state(PERSON, sealed.dataset, draft.predicate, *control.signed(draft))


def use(control, sealed):
    claims = {"inputs": [{"seal": str(sealed.seal), "dataset": sealed.dataset, "epoch": 1}]}
    subject = Subject("run/r", sealed.seal)
    envelope, opening = control.signed(Draft(PredicateName("run.manifest"), (subject,), claims, Strength.OBSERVED))
    control.recorder.admit(envelope, opening, by=PERSON)


def test_a_screen_that_says_what_the_log_says_is_handed_to_whoever_takes_its_form(control, sealed, screens, taken):
    describe(control, sealed)
    screens.state(PERSON, sealed.dataset, *control.signed(screen(sealed)))
    [(person, name, opening)] = taken
    assert (person, name) == (PERSON, "dataset.poison_screen")
    assert opening.details.keys() == {"summary", "settings", "files"}


def test_a_screen_is_not_before_training_once_a_run_used_the_epoch(control, sealed, screens, taken):
    describe(control, sealed)
    use(control, sealed)
    with pytest.raises(Refused, match="by the log"):
        screens.state(PERSON, sealed.dataset, *control.signed(screen(sealed)))
    assert taken == []
    screens.state(PERSON, sealed.dataset, *control.signed(screen(sealed, When.AFTER)))
    assert len(taken) == 1


def test_a_source_that_nobody_answers_for_is_not_trusted(control, sealed, screens, taken):
    with pytest.raises(Refused, match="by the log"):
        screens.state(PERSON, sealed.dataset, *control.signed(screen(sealed)))
    assert taken == []
    screens.state(PERSON, sealed.dataset, *control.signed(screen(sealed, untrusted=1)))
    assert len(taken) == 1


def test_a_dataset_that_is_not_recorded_has_no_screen_and_no_history(control, sealed, screens):
    with pytest.raises(NotFound):
        screens.state(PERSON, "f" * 32, *control.signed(screen(sealed)))
    with pytest.raises(NotFound):
        screens.histories.of(PERSON.tenant, "f" * 32)


def test_a_history_has_the_newest_epoch_first(control, sealed, screens):
    name = DatasetName("claims")
    made = sealed_in_memory({"a": b"34"}, epoch=2, dataset=sealed.dataset)
    control.service.seal(PERSON, name, *control.signed(seals.sealed(made.seal, made.digest, Custody.FILE_PLAIN, name)))
    use(control, sealed)
    found = screens.histories.of(PERSON.tenant, sealed.dataset)
    assert [(one["epoch"], one["runs"], one["order"]) for one in found["epochs"]] == [
        (2, 0, "before-training"),
        (1, 1, "after-training"),
    ]
