"""Our runs in a real store of MLflow, with our digests."""

import pytest

from ringfence.kernel.errors import NotFound
from ringfence.lineage import sheet
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import Kind, Ref
from ringfence.lineage.view import around
from ringfence.testing.lineage import Tale, digest_of, whole
from ringfence.workloads.mlflow import exporting
from ringfence.workloads.mlflow import store as reading
from ringfence.workloads.mlflow.model import OUTPUTS_TAG, RUN_TAG, Status


def document(tale, name="tune", kind=Kind.RUN):
    return sheet.shown(around(Lineage.of(tale.tenant, tale.statements), Ref(kind, digest_of(name))), {})


def told(**claims):
    tale = Tale()
    for name in ("books", "letters"):
        tale.seal(name, dataset=digest_of(f"id-{name}").hex[:32])
    tale.run("tune", ["books", "letters"], "tuned", startedAt="2026-11-22T09:00:00.000Z", **claims)
    return tale


def test_digests_and_gaps_are_tags():
    found = exporting.exported(document(told()))
    assert found.tags[OUTPUTS_TAG] == str(digest_of("tuned"))
    assert found.tags[RUN_TAG] == "tune"
    assert found.tags["ringfence.lineage.closed"] == "false"  # the story names other ids than it sealed
    assert found.tags["ringfence.gaps"] == "seal-conflict"
    assert (found.status, found.parameters) == ("FINISHED", {"seed": "7"})
    assert [row["ringfence.seal"] for row in found.inputs] == [str(digest_of("books")), str(digest_of("letters"))]


@pytest.mark.parametrize(("outcome", "status"), [("failed", "FAILED"), ("interrupted", "KILLED"), ("lost", "FAILED")])
def test_how_it_ended_is_said_in_their_words(outcome, status):
    assert exporting.exported(document(told(outcome=outcome))).status == status


def test_only_a_run_that_was_stated_is_written():
    tale = whole()
    with pytest.raises(NotFound):
        exporting.exported(document(tale, "tuned", Kind.MODEL))


def test_what_is_written_is_read_back_and_written_once(store):
    one = exporting.exported(document(told()))
    made = exporting.write(store.client, one, "ringfence", 1_795_000_000_000)
    assert exporting.write(store.client, one, "ringfence", 1_795_000_000_000) == made
    found = reading.read(store.uri, made)
    assert (found.status, found.tags[OUTPUTS_TAG]) == (Status.COMPLETED, str(digest_of("tuned")))
    assert {used.seal for used in found.used} == {digest_of("books"), digest_of("letters")}
    assert all(used.ours for used in found.used)
