from dataclasses import replace

import pytest

from ringfence.artifacts import statements
from ringfence.artifacts.model import Custody, DatasetName, Mode, Verdict
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused, Unavailable, UsageError
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


def sealed_once(control):
    return control.service.seal(PERSON, NAME, *control.signed(draft()))[0]


def test_from_the_announcement_of_an_erasure_on_nobody_opens_the_epoch(control):
    sealed = sealed_once(control)
    asked = control.signed(statements.erasure_requested(sealed, "the contract ended"))
    first = control.service.erase(PERSON, sealed.dataset, *asked)
    again = control.signed(statements.erasure_requested(sealed, "once more"))
    assert control.service.erase(PERSON, sealed.dataset, *again) == first
    with pytest.raises(Refused, match="is being erased"):
        control.service.open(PERSON, sealed.dataset, *control.signed(statements.opened(sealed, "train")))
    done = statements.erased(sealed, first.envelope, bytes(32), ())
    control.service.erased(PERSON, sealed.dataset, control.signed(done)[0])
    with pytest.raises(Refused, match="was erased"):
        control.service.open(PERSON, sealed.dataset, *control.signed(statements.opened(sealed, "train")))
    assert len(control.stated) == 3
    assert control.service.epochs(TENANT)[0].erasure.done


def test_what_nobody_asked_for_is_not_erased(control):
    sealed = sealed_once(control)
    done = control.signed(statements.erased(sealed, sealed.seal, bytes(32), ()))[0]
    with pytest.raises(Refused, match="nobody asked"):
        control.service.erased(PERSON, sealed.dataset, done)
    asked = control.signed(statements.erasure_requested(sealed, "the contract ended"))
    control.service.erase(PERSON, sealed.dataset, *asked)
    with pytest.raises(Refused, match="nobody asked"):  # it names another announcement
        control.service.erased(PERSON, sealed.dataset, done)
    assert not control.service.epochs(TENANT)[0].erasure.done


def test_an_erasure_says_why_and_nothing_else(control):
    sealed = sealed_once(control)
    wanted = statements.erasure_requested(sealed, "why")
    for details in ({}, {"because": "why", "name": "claims"}, {"name": "claims"}):
        with pytest.raises(MalformedInput, match="say why"):
            control.service.erase(PERSON, sealed.dataset, *control.signed(replace(wanted, details=details)))
    assert control.service.epochs(TENANT)[0].erasure is None


def test_a_hold_is_asked_before_an_erasure_is_recorded(control):
    sealed = sealed_once(control)

    class Holds:
        def check(self, tenant, about, envelope):
            assert (tenant, about, envelope) == (TENANT, sealed, control.recorder.admitted[0].digest)
            raise Refused("hold-0123456789ab holds it")

    held = replace(control.service, holds=Holds())
    with pytest.raises(Refused, match="holds it"):
        held.erase(PERSON, sealed.dataset, *control.signed(statements.erasure_requested(sealed, "why")))
    assert len(control.stated) == 1


def test_statements_are_about_an_epoch_that_is_recorded(control):
    sealed = sealed_once(control)
    for epoch in (2, 0, -1, "1", None, True):
        wrong = statements.opened(replace(sealed, epoch=epoch), "train")
        with pytest.raises(UsageError):
            control.service.open(PERSON, sealed.dataset, *control.signed(wrong))
    assert len(control.stated) == 1
