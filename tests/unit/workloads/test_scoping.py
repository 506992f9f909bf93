"""Who takes the acts by which a person signs a scope."""

from ringfence.obligations.scope.statement import ENTITY, SYSTEM
from ringfence.workloads import scoping


def test_both_acts_have_a_taker_that_leads_back_to_the_page(services):
    targets = scoping.targets(services.scopes)
    assert set(targets) == {ENTITY, SYSTEM}
    for target in targets.values():
        assert (target.action, target.page("scope")) == ("statement.add", "/scope")
    assert set(targets) <= set(services.acting.desk.targets)
