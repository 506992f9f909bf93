"""What is assessed, and what binds."""

from ringfence.obligations.duties import may_bind
from ringfence.obligations.results import APART


def test_what_is_out_is_not_assessed(facts):
    assert all(result.verdict.state not in APART for result in facts.assessed)
    assert all(part.verdict.state not in APART for result in facts.assessed for part in facts.counted(result))


def test_binding_is_what_may_bind(facts):
    named = {one.id for one in facts.binding}
    assert named == {d.obligation.id for d in facts.board.duties if may_bind(d, facts.board.as_of)}
