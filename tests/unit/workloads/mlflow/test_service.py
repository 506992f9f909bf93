from contextlib import nullcontext
from dataclasses import replace

import pytest

from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.kernel.evidence import Stage
from ringfence.testing.artifacts import PERSON, MemoryControl, MemoryRecorder
from ringfence.testing.clock import START
from ringfence.workloads.mlflow import statements
from ringfence.workloads.mlflow.model import ForeignRun, Status
from ringfence.workloads.mlflow.service import ForeignRuns

DRAFT = statements.draft(ForeignRun("0" * 32, "3.17.2", Status.FAILED, START, None, {"lr": "0.1"}), bytes(32))


@pytest.fixture
def recorder():
    return MemoryRecorder()


def post(recorder, draft=DRAFT, *, opened=True):
    envelope, opening = MemoryControl().signed(draft)
    service = ForeignRuns(nullcontext, recorder, recorder)
    return service.record(PERSON, envelope, opening if opened else None)


def test_another_systems_word_is_recorded(recorder):
    assert post(recorder).stage is Stage.PUBLISHED
    assert [envelope.statement.predicate for envelope in recorder.admitted] == ["run.imported"]


def test_without_its_details_or_with_others_it_is_not(recorder):
    with pytest.raises(MalformedInput, match="details"):
        post(recorder, opened=False)
    with pytest.raises(MalformedInput, match="details"):
        post(recorder, replace(DRAFT, details={**DRAFT.details, "salt": "00"}))
    with pytest.raises(RingfenceError):
        post(recorder, replace(DRAFT, claims={**DRAFT.claims, "outcome": "great"}))
    assert recorder.admitted == []
