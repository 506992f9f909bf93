from datetime import timedelta

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import catalog
from ringfence.obligations.policies import checking, shelf
from ringfence.obligations.policies.document import parse
from ringfence.testing.policies import DAY, OWNER, filled

CATALOG = catalog.load()


def check(text, day=DAY):
    policy = parse(text.encode(), source="policy.md")
    return checking.problems(policy, CATALOG, day, shelf.sentences(policy.header.get("policy", "")))


def fields(text, day=DAY):
    return {problem.field for problem in check(text, day)}


@pytest.mark.parametrize("name", shelf.names())
def test_a_template_with_every_gap_filled_has_no_problem_and_as_it_ships_it_fails(name):
    assert check(filled(name)) == ()
    assert check(shelf.template(name, CATALOG))


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (OWNER + "\n", "[role]\n", "owner"),
        ("the platform team", "todo", "text"),
        ("the platform team", "sdf", "text"),
        ("next-review: 2027", "next-review: 2029", "next-review"),
        ("approved-by: accountable-person", "approved-by: somebody", "approved-by"),
        ('version: "1.0"', "version: soon", "version"),
        ("policy: logging", "policy: cooking", "policy"),
        (f"{{{{declared: {OWNER}, 2026-11-22}}}}\n", "", "mark"),
        (f"declared: {OWNER}, 2026-11-22", f"declared: {OWNER}, 2026-11-23", "declared"),
        ("declared: Head of Platform", "declared: xxx", "declared"),
        ("control LOG-02", "control LOG-99", "observed"),
        ("control LOG-02", "control GOV-10", "observed"),
        ("control LOG-04", "rule log-01.elsewhere", "observed"),
        ("Append-only, chained", "Never lost, chained", "observed"),
        ("{roles}", "{colours}", "parts"),
        ("owner: Head of Platform\n", "", "owner"),
    ],
)
def test_each_defect_is_named_with_its_field(old, new, field):
    text = filled()
    assert old in text
    assert field in fields(text.replace(old, new, 1))


def test_a_sentence_of_the_template_left_as_it_was_is_nobodys_word():
    policy = parse(filled().encode(), source="policy.md")
    text = next(policy.passages).text
    (problem,) = checking.problems(policy, CATALOG, DAY, {text: "Objectives and scope"})
    assert (problem.field, "left as it was" in problem.message) == ("text", True)


def test_a_part_that_a_rule_asks_for_and_no_section_holds_is_named():
    (problem,) = [one for one in check(filled("cryptography").replace("{key-lifecycle}", "")) if one.field == "parts"]
    assert "sec-03.policy also asks for key-lifecycle" in problem.message


def test_a_heading_without_a_sentence_is_no_part():
    assert "parts" in fields(filled() + "\n## Empty {objectives}\n")


def test_a_policy_cannot_rest_on_what_asks_for_it():
    said = [one.message for one in check(filled().replace("rule log-01.coverage", "control LOG-01"))]
    assert any("rest on itself" in text for text in said)


def test_an_approval_runs_out_of_its_days():
    assert "approved-on" in fields(filled(), DAY + timedelta(days=60))


def test_topics_are_known_policies():
    assert "topic-policies" in fields(
        filled("information-security").replace("topic-policies: ", "topic-policies: cooking ")
    )


def test_refuse_says_the_first_problem_with_its_line():
    checking.refuse((), "policy.md")
    found = check(shelf.template("logging", CATALOG))
    with pytest.raises(MalformedInput, match=r"policy\.md:4: owner.*more"):
        checking.refuse(found, "policy.md")


def test_an_observed_sentence_says_what_is_computed_and_no_more():
    assert checking.sentence("log-02.chain", CATALOG).startswith("What the rule log-02.chain asks is on record:")
    assert CATALOG.control("LOG-02").requirement in checking.sentence("LOG-02", CATALOG)
