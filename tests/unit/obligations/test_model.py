"""What one rule says of others, and which rules a control has."""

from ringfence.obligations import catalog

CATALOG = catalog.load()


def test_a_rule_links_to_every_other_rule_whose_statements_decide_as_well():
    linked = {place for rule in CATALOG.requirements.values() for place in rule.named}
    assert linked == {
        ("for_each", "of"),
        ("for_each", "only", "of"),
        ("contradicted_by", "of"),
        ("recount", "opening"),
        ("recount", "votes"),
    }
    for rule in CATALOG.requirements.values():
        drawn, taken_back = rule.for_each, rule.contradicted_by
        assert rule.named.get(("for_each", "of")) == (drawn and drawn.of)
        assert rule.named.get(("contradicted_by", "of")) == (taken_back and taken_back.of)
        assert rule.links == tuple(rule.named.values())


def test_the_rules_of_the_controls_are_all_rules_in_their_order():
    found = [rule for control in CATALOG.controls for rule in CATALOG.of(control.id)]
    assert sorted(rule.id for rule in found) == sorted(CATALOG.requirements)
    assert CATALOG.of("XXX-01") == ()
