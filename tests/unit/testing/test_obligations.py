from datetime import timedelta

from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.obligations.model import Condition, Op
from ringfence.testing.obligations import SECOND, START, Story, StoryEvidence, breaking, issuer_of


def test_a_story_tells_entries_in_order():
    story = Story()
    first, second = story.add("a.b", {}), story.add("a.b", {}, version=2)
    assert (first.entry, second.entry) == (0, 1)
    assert second.recorded_at - first.recorded_at == SECOND
    assert first.envelope.statement.subjects[0].digest != second.envelope.statement.subjects[0].digest
    assert story.wait(timedelta(days=1)) == START + 2 * SECOND + timedelta(days=1)


def test_an_unknown_key_has_no_issuer():
    assert Story().add("a.b", {}, standing=Standing.UNKNOWN).issuer is None
    assert Story().add("a.b", {}, standing=Standing.REVOKED).issuer == issuer_of(KeyRole.OPERATOR)


def test_evidence_is_read_by_tenant_kind_time_and_page():
    story = Story()
    for number in range(5):
        story.add("a.b" if number % 2 else "c.d", {})
    evidence = StoryEvidence(story, Story("other"))
    tenant = Tenant("acme")
    assert [s.entry for s in evidence.statements(tenant, [PredicateName("a.b")])] == [1, 3]
    assert [s.entry for s in evidence.statements(tenant, at=START + 2 * SECOND)] == [0, 1]
    assert [s.entry for s in evidence.page(tenant, before=4, limit=2)] == [3, 2]
    assert evidence.statements(Tenant("other")) == []


def test_breaking_leaves_every_other_claim_alone():
    condition = Condition("n", Op.AT_LEAST, "too few", 3)
    assert all(claims["other"] == 1 for claims in breaking(condition, {"n": 3, "other": 1}))
