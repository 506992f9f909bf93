"""The catalogue holds every provision and every control, and no more than the data say."""

from ringfence.exports.obligations import UNSTATED, catalog, method_of
from ringfence.kernel.statement import Strength


def controls(facts):
    return {one["id"]: one for group in catalog(facts)["catalog"]["groups"] for one in group["controls"]}


def test_every_obligation_and_every_control_is_in_it(facts):
    known = facts.catalog
    assert set(controls(facts)) == {*known.obligations, *(one.id.lower() for one in known.controls)}


def test_a_provision_without_a_paraphrase_gets_none(facts):
    silent = next(one for one in facts.catalog.obligations.values() if one.paraphrase is None)
    assert controls(facts)[silent.id]["parts"][0]["prose"] == UNSTATED


def test_every_control_says_what_it_does_not_prove_and_links_what_it_serves(facts):
    made = controls(facts)
    for one in facts.catalog.controls:
        found = made[one.id.lower()]
        assert [link["href"] for link in found["links"]] == [f"#{name}" for name in one.obligations]
        assert one.does_not_prove[0] in found["parts"][1]["prose"]


def test_every_objective_says_when_it_fails(facts):
    made = controls(facts)
    for rule in facts.catalog.requirements.values():
        (part,) = [one for one in made[rule.control.lower()]["parts"] if one.get("id") == f"{rule.id}_obj"]
        assert [one["prose"] for one in part["parts"]] == [f"Fails where {one.because}." for one in rule.conditions]


def test_what_a_person_states_is_examined_and_not_tested():
    assert method_of(Strength.DECLARED) == method_of(Strength.DOCUMENTED) == "EXAMINE"
    assert method_of(Strength.OBSERVED) == method_of(Strength.ATTESTED) == "TEST"
