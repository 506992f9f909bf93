import json

import pytest

from ringfence.kernel.errors import MalformedInput, UsageError
from ringfence.redteam import document
from ringfence.redteam.document import MIXED, UNKNOWN, Kept, model_of, parse_plan, plan_bytes, threshold
from ringfence.redteam.model import Outcome
from ringfence.testing.redteam import MODEL, answered, drawn, plan, record, small

CORPUS = small()
ASKED = drawn(CORPUS, 5)


def test_a_plan_is_read_as_it_was_written():
    assert parse_plan(plan_bytes(plan(CORPUS)), source="plan.json") == plan(CORPUS)


def test_every_flipped_byte_of_a_plan_changes_it_or_is_refused():
    data = plan_bytes(plan(CORPUS))
    for place in range(len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            assert parse_plan(changed, source="plan.json") != plan(CORPUS)
        except MalformedInput as error:
            assert "plan.json" in str(error)  # noqa: PT017 -- either outcome is right


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"policy": 7}', b"\xff"])
def test_what_is_no_plan_is_refused(data):
    with pytest.raises(MalformedInput):
        parse_plan(data, source="plan.json")


def test_the_model_is_what_every_answer_declares():
    assert model_of(ASKED, answered(ASKED, lambda _: Outcome.RESISTED)) == MODEL
    assert model_of(ASKED, Kept({}, "")) == UNKNOWN
    mixed = {a.id: record(a, Outcome.RESISTED, model=f"sha256:{n % 2:064}") for n, a in enumerate(ASKED)}
    assert model_of(ASKED, Kept(mixed, "")) == MIXED


@pytest.mark.parametrize(("outcome", "status"), [(Outcome.ERROR, 500), (Outcome.FILTERED, 400), (Outcome.ERROR, 200)])
def test_what_is_no_answer_declares_no_model(outcome, status):
    kept = answered(ASKED, lambda _: Outcome.RESISTED)
    failed = record(ASKED[-1], outcome, status=status, model=UNKNOWN)
    assert model_of(ASKED, Kept({**kept.records, failed.id: failed}, "")) == MODEL


@pytest.mark.parametrize("share", [0, 1, -1, 5, float("nan"), 1e-9, 1 - 1e-9])
def test_a_threshold_is_a_share(share):
    with pytest.raises(UsageError):
        threshold(share)


def test_a_threshold_is_kept_in_parts_per_million():
    assert threshold(0.05) == 50_000


def test_a_run_has_one_form():
    assert json.loads(document.run_bytes({"b": 1, "a": []})) == {"a": [], "b": 1}
    assert document.run_bytes({"b": 1, "a": []}) == document.run_bytes({"a": [], "b": 1})


def test_nothing_but_a_pass_has_passed():
    assert document.passed({"verdict": "pass"})
    assert not document.passed({"verdict": "inconclusive"})
