from contextlib import nullcontext
from dataclasses import replace

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused, Unavailable
from ringfence.kernel.evidence import Stage
from ringfence.testing.artifacts import PERSON, TENANT, MemoryControl, MemoryDatasets, MemoryRecorder, example
from ringfence.testing.runs import DIGEST, trace
from ringfence.workloads.runs import manifest
from ringfence.workloads.runs.service import Runs

SALT = bytes(32)


@pytest.fixture
def recorder():
    return MemoryRecorder()


@pytest.fixture
def runs(recorder):
    datasets = MemoryDatasets()
    datasets.put(TENANT, replace(example(), seal=trace().inputs[0].seal, ciphertext_root=DIGEST), Digest.of(b""))
    return Runs(nullcontext, datasets, recorder, recorder)


def post(runs, told, **changes):
    envelope, opening = MemoryControl().signed(replace(manifest.draft(told, SALT), **changes))
    return runs.record(PERSON, envelope, opening)


def test_a_run_is_recorded_once(runs, recorder):
    assert post(runs, trace()).stage is Stage.PUBLISHED
    post(runs, trace())
    assert [envelope.statement.predicate for envelope in recorder.admitted] == ["run.manifest"]


@pytest.mark.parametrize(
    "change",
    [{"dataset": "b" * 32}, {"epoch": 2}, {"seal": Digest.of(b"another seal")}, {"ciphertext_root": Digest.of(b"x")}],
)
def test_an_input_that_leads_nowhere_is_refused(runs, recorder, change):
    [known] = trace().inputs
    with pytest.raises(Refused):
        post(runs, replace(trace(), inputs=(replace(known, **change),)))
    assert recorder.admitted == []


def test_details_come_along_and_fit(runs, recorder):
    with pytest.raises(MalformedInput, match="details"):
        post(runs, trace(), details={})
    with pytest.raises(MalformedInput, match="commits to"):
        post(runs, trace(), details={**manifest.details(trace(), SALT), "outputs": []})
    assert recorder.admitted == []


def test_what_cannot_be_published_is_not_acknowledged(runs, recorder):
    recorder.unpublished = Unavailable("no integrator")
    with pytest.raises(Unavailable):
        post(runs, trace())
