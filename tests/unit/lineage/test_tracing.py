"""From an answer's record to the data behind it."""

from datetime import timedelta

import pytest

from ringfence.gateway.model import Basis, ServedModel
from ringfence.gateway.records import Record
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import GapKind, Kind, Ref
from ringfence.lineage.tracing import SKEW, trace
from ringfence.testing.lineage import digest_of, whole
from ringfence.testing.receipts import admitted, finished


def record(tale, *, model="tuned", deployment="small", after=timedelta(seconds=9), basis=Basis.LOADED):
    digest = digest_of(model) if model else None
    at = tale.statements[-1].recorded_at + after
    return Record(1, admitted(deployment=deployment, model=ServedModel("m", digest, basis), at=at), finished())


def traced(tale, **said):
    return trace(Lineage.of(tale.tenant, tale.statements), record(tale, **said))


def kinds(found):
    return [gap.kind for gap in found.gaps]


def test_an_answer_leads_to_the_data():
    found = traced(whole())
    assert found.closed
    assert found.closure.start == Ref(Kind.DEPLOYMENT, digest_of("small"))
    assert {ref.digest for ref in found.closure.things if ref.kind is Kind.DATASET} == {
        digest_of("books"),
        digest_of("letters"),
    }


def test_an_answer_by_a_deployment_that_nobody_stated():
    found = traced(whole(), deployment="other")
    assert kinds(found) == [GapKind.DEPLOYMENT_UNSTATED]
    assert found.closure.start.kind is Kind.MODEL  # what its digest leads to is shown all the same
    assert found.closure.closed


def test_an_answer_with_another_digest_than_was_stated():
    tale = whole()
    tale.sign("rogue")
    assert kinds(traced(tale, model="rogue")) == [GapKind.DIGEST_CONFLICT, GapKind.NO_ORIGIN]


def test_an_answer_before_its_deployment_began_is_not_traced_to_it():
    tale = whole()
    assert GapKind.DEPLOYMENT_UNSTATED in kinds(traced(tale, after=-SKEW - timedelta(minutes=1)))


def test_an_answer_after_its_deployment_ended_is_not_traced_to_it():
    tale = whole()
    tale.about("deployment.stopped", {"deployment": "small"}, [("deployment/small", "small")])
    assert traced(tale).closed  # within what clocks may differ
    assert GapKind.DEPLOYMENT_UNSTATED in kinds(traced(tale, after=SKEW + timedelta(minutes=1)))


def test_a_name_that_is_used_again_leads_to_what_was_served_then():
    tale = whole()
    early = record(tale)
    tale.about("deployment.stopped", {"deployment": "small"}, [("deployment/small", "small")])
    tale.wait(timedelta(hours=1))
    tale.sign("second")
    tale.take_in("second")
    tale.about(
        "deployment.started",
        {"deployment": "small", "basis": "loaded", "digest": str(digest_of("second"))},
        [("deployment/again", "again")],
    )
    lineage = Lineage.of(tale.tenant, tale.statements)
    assert trace(lineage, early).closure.start == Ref(Kind.DEPLOYMENT, digest_of("small"))
    assert trace(lineage, record(tale, model="second")).closure.start == Ref(Kind.DEPLOYMENT, digest_of("again"))


@pytest.mark.parametrize("stated", [True, False])
def test_an_answer_without_a_digest_has_a_gap(stated):
    tale = whole()
    if stated:
        tale.deploy("blind", basis="declared")
    found = traced(tale, model="", deployment="blind", basis=Basis.DECLARED)
    assert kinds(found) == [GapKind.NO_DIGEST if stated else GapKind.DEPLOYMENT_UNSTATED]
