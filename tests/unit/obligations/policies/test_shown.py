from ringfence.obligations.policies.model import Adopted, Shown, Stand, Standing
from ringfence.obligations.policies.shown import policy
from ringfence.testing.obligations import START
from ringfence.testing.policies import DAY


def test_a_policy_is_shown_with_what_contradicts_it():
    wrong = Standing("log-02", "not-satisfied", "it is stale", (4,), "observed", ("This.",))
    signed = Adopted(7, START, "1.0", "management-body", DAY, 9, (wrong,))
    found = policy(Shown("logging", "Logging policy", ("gov-10.topics",), signed, Stand.CONTRADICTED))
    assert found["state"] == "contradicted"
    assert found["adopted"]["contradicted"] == ["log-02"]
    assert found["adopted"]["observed"][0]["entries"] == [4]
    assert found["adopted"]["next_review"] == "2026-11-22"
    assert policy(Shown("training", "Training", (), None, Stand.NONE))["adopted"] is None
