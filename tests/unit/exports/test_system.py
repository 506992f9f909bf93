"""The plan of the system, and the component: nothing made up."""

from ringfence.exports.system import UNSAID, components, system
from ringfence.kernel.statement import KeyRole
from ringfence.obligations.results import State


def requirements(facts):
    listed = system(facts)["system-security-plan"]["control-implementation"]["implemented-requirements"]
    return {one["control-id"]: one for one in listed}


def test_only_satisfied_controls_are_implemented(facts):
    made = requirements(facts)
    for result in facts.assessed:
        (by,) = made[result.control.id.lower()]["by-components"]
        state = by.get("implementation-status", {}).get("state")
        assert (state == "implemented") == (result.verdict.state is State.SATISFIED)


def test_what_the_scope_says_is_told_and_what_nobody_said_is_not(facts, empty):
    said, unsaid = (one_system(one)["system-information"]["information-types"][0] for one in (facts, empty))
    assert "Personal data are processed" in said["description"]
    assert unsaid["description"] == UNSAID
    assert one_system(facts)["status"] == {"state": "other", "remarks": UNSAID}


def one_system(facts):
    return system(facts)["system-security-plan"]["system-characteristics"]


def test_the_product_claims_only_controls_of_which_it_states_evidence_itself(facts):
    product, provider = components(facts)["component-definition"]["components"]
    (listed,) = product["control-implementations"]
    own = {one["control-id"] for one in listed["implemented-requirements"]}
    for control in facts.catalog.controls:
        people = all(rule.issuers == {KeyRole.OPERATOR} for rule in facts.catalog.of(control.id))
        assert (control.id.lower() in own) != people
    assert "control-implementations" not in provider
