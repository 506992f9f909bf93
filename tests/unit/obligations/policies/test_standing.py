import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import catalog, sheet
from ringfence.obligations.board import compute
from ringfence.obligations.policies import standing
from ringfence.obligations.policies.document import parse
from ringfence.obligations.records import Records
from ringfence.testing.obligations import CONTROL_PLANE, START, Story, meeting
from ringfence.testing.policies import filled

CATALOG = catalog.load()


def status(*predicates):
    story = Story()
    for name in predicates:
        rule = next(rule for rule in CATALOG.requirements.values() if rule.evidence == name)
        story.add(name, meeting(rule), role=CONTROL_PLANE, subject="log/acme")
    return sheet.document(compute(CATALOG, Records.of(story.tenant, story.statements), story.now or START))


def test_a_rule_and_a_control_stand_as_computed_with_their_records():
    found = {one.name: one for one in standing.standings(status("log.heartbeat"), ["log-06", "log-02", "log-02.chain"])}
    assert found["log-06"].holds
    assert found["log-06"].entries == (0,)
    assert found["log-06"].does_not_prove
    assert not found["log-02"].holds
    assert found["log-02.chain"].state == "not-satisfied"


def test_what_is_in_no_status_holds_nothing():
    (one,) = standing.standings(status(), ["abc-01"])
    assert (one.state, one.holds) == (standing.UNKNOWN, False)


def test_a_document_that_is_no_status_is_refused():
    with pytest.raises(MalformedInput):
        standing.standings({"controls": [1]}, ["log-02"])


def test_what_an_observed_sentence_rests_on_stands_below_it():
    text = filled()
    policy = parse(text.encode(), source="x")
    found = standing.standings(status("log.heartbeat"), policy.observes)
    lines = standing.filled(text, policy, found, "2026-11-22T09:00:00.000Z").split("\n")
    (true,) = [line for line in lines if line.startswith("> Observed: ")]
    assert "LOG-06 is satisfied" in true
    assert "entry 0" in true
    assert len([line for line in lines if line.startswith("> CONTRADICTED: ")]) == 3
    again = parse("\n".join(lines).encode(), source="x")
    assert [p.text for p in again.passages] == [p.text for p in policy.passages]
