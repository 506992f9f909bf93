from dataclasses import replace

import pytest

from ringfence.artifacts import statements
from ringfence.artifacts.model import Custody, DatasetName, Mode, Verdict
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Unavailable
from ringfence.kernel.evidence import Stage
from ringfence.kernel.identifier import Tenant
from ringfence.testing.artifacts import PERSON, TENANT, MemoryControl, sealed_in_memory

NAME = DatasetName("claims")


def draft(epoch=1):
    sealed = sealed_in_memory({"a": b"12"}, epoch=epoch)
    return statements.sealed(sealed.seal, sealed.digest, Custody.FILE_PLAIN, NAME)


@pytest.fixture
def control():
    return MemoryControl()


def test_a_seal_is_recorded_with_its_row(control):
    sealed, done = control.service.seal(PERSON, NAME, *control.signed(draft()))
    assert control.service.all(TENANT) == [sealed]
    assert done.stage is Stage.PUBLISHED
    assert control.service.all(Tenant("other")) == []


def test_the_same_seal_posted_twice_is_recorded_once(control):
    first = control.service.seal(PERSON, NAME, *control.signed(draft()))
    again = control.service.seal(PERSON, NAME, *control.signed(draft()))
    assert first == again
    assert len(control.stated) == 1


def test_a_skipped_epoch_and_a_taken_name_leave_nothing(control):
    with pytest.raises(Conflict):
        control.service.seal(PERSON, NAME, *control.signed(draft(epoch=2)))
    assert control.stated == []
    assert control.service.all(TENANT) == []


def test_the_name_is_the_one_in_the_details(control):
    with pytest.raises(MalformedInput, match="name"):
        control.service.seal(PERSON, DatasetName("other"), *control.signed(draft()))
    with pytest.raises(MalformedInput, match="name"):
        control.service.seal(PERSON, NAME, *control.signed(replace(draft(), details={})))


def test_where_recording_fails_no_row_stays(control):
    control.recorder.broken = Unavailable("the disk is full")
    with pytest.raises(Unavailable):
        control.service.seal(PERSON, NAME, *control.signed(draft()))
    assert control.service.all(TENANT) == []


def test_an_opening_waits_until_it_is_published(control):
    sealed, _ = control.service.seal(PERSON, NAME, *control.signed(draft()))
    done = control.service.open(PERSON, sealed.dataset, *control.signed(statements.opened(sealed, "train")))
    assert done.stage is Stage.PUBLISHED
    control.recorder.unpublished = Unavailable("the log did not publish in time")
    with pytest.raises(Unavailable, match="publish"):
        control.service.open(PERSON, sealed.dataset, *control.signed(statements.opened(sealed, "train")))


def test_nothing_is_stated_about_unknown_datasets_or_those_of_others(control):
    sealed, _ = control.service.seal(PERSON, NAME, *control.signed(draft()))
    for caller, dataset in ((PERSON, "b" * 32), (replace(PERSON, tenant=Tenant("other")), sealed.dataset)):
        with pytest.raises(NotFound):
            control.service.open(caller, dataset, *control.signed(statements.opened(sealed, "train")))
    assert len(control.stated) == 1


def test_a_verification_is_recorded(control):
    sealed, _ = control.service.seal(PERSON, NAME, *control.signed(draft()))
    verdict = statements.verified(sealed, Verdict(Mode.STORAGE, 2, ()))
    control.service.state(PERSON, sealed.dataset, statements.VERIFIED, *control.signed(verdict))
    assert control.stated[-1].claims["result"] == "pass"
