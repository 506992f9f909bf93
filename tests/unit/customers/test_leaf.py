import re

import pytest

from ringfence.customers import leaf, register, statements
from ringfence.kernel.digest import Digest
from ringfence.testing.customers import OWNER, A, B
from ringfence.testing.ledger import ORIGIN, TENANT


@pytest.fixture
def leaves(log):
    for name in (A, B):
        log.state_draft(statements.packed(name, OWNER, Digest.of(name.encode()), 4, bytes(32)), by="control")
    known = register.fold(log.statements())
    return {made.customer: (known.everybody[made.customer], made) for made in known.packs}


def test_every_sentence_about_a_pack_has_a_record_or_is_marked_declared_with_author_and_date(leaves):
    for one, made in leaves.values():
        facts = list(leaf.facts(one, made))
        assert len(facts) == 6
        for fact in facts:
            assert re.match(r"entry \d+(, declared by person-\w+ at \d{4}-\d\d-\d\dT)?", fact.rests_on), fact
            assert f"- {fact.text} [{fact.rests_on}]" in leaf.text(one, made, TENANT, ORIGIN, demo=False)


def test_beyond_the_template_two_leaves_share_no_sentence(leaves):
    first, second = (set(leaf.text(*each, TENANT, ORIGIN, demo=False).splitlines()) for each in leaves.values())
    template = {f"- {line}" for line in leaf.IS_NOT} | {f"    {line}" for line in leaf.CHECK}
    shared = {line for line in first & second if line.startswith("- ")} - template
    assert len(shared) <= 0.2 * len([line for line in first - template if line.startswith("- ")])


def test_a_leaf_names_no_other_customer_and_no_name(leaves):
    text = leaf.text(*leaves[A], TENANT, ORIGIN, demo=False)
    assert B not in text
    assert "dataset/d2" not in text
    assert "St. Example" not in text


def test_a_leaf_says_what_the_pack_is_not_and_promises_nothing(leaves):
    text = leaf.text(*leaves[A], TENANT, ORIGIN, demo=True)
    assert text.startswith("DEMO:")
    assert "no certificate and no proof of conformity" in text
    assert "never that a record is true" in text
    assert not re.search(r"compliant|certified|guarantee", text)


def test_a_program_gets_the_same(leaves):
    made = leaf.document(*leaves[A])
    assert made["is_not"] == list(leaf.IS_NOT)
    assert len(made["facts"]) == 6
