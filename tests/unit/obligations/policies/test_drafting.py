import pytest

from ringfence.kernel.errors import UsageError
from ringfence.obligations.policies import drafting
from ringfence.obligations.policies.document import parse
from ringfence.obligations.policies.model import Standing
from ringfence.testing.policies import filled

POLICY = parse(filled().encode(), source="x")
TRUE = Standing("log-06", "satisfied", "", (1,), "observed", ())
FALSE = Standing("log-02", "not-satisfied", "", (), None, ())


def test_the_text_answers_what_it_can():
    claims = drafting.claims(POLICY, [TRUE])
    assert claims["policy"] == "logging"
    assert claims["placeholders"] == claims["departures"] == 0
    assert claims["parts"] == ["objectives", "scope", "roles", "retention-list"]
    assert claims["observes"] == ["log-01.coverage", "log-02", "log-04", "log-06"]
    assert "addressees" not in claims


def test_a_sentence_that_is_not_true_is_a_departure_and_nobody_may_say_fewer():
    claims = drafting.claims(POLICY, [TRUE, FALSE])
    assert claims["departures"] == 1
    assert drafting.joined(claims, {"departures": 0})["departures"] == 1
    assert drafting.joined(claims, {"departures": 4, "addressees": 3})["departures"] == 4


@pytest.mark.parametrize(("name", "value"), [("placeholders", 3), ("policy", "training"), ("approvedBy", "nobody")])
def test_no_answer_may_differ_from_the_text(name, value):
    with pytest.raises(UsageError, match=name):
        drafting.joined(drafting.claims(POLICY, []), {name: value})
