from ringfence.obligations.policies.model import Declared, Passage, Policy, Section, Standing
from ringfence.testing.policies import DAY

SAID = Passage(3, "We say so.", Declared("Ada", DAY))


def test_a_section_without_a_sentence_is_no_part():
    sections = (
        Section(1, "One", ("scope",), (SAID,)),
        Section(2, "Two", ("roles",), ()),
        Section(3, "Three", ("scope",), (SAID,)),
    )
    assert Policy({}, {}, "", sections).parts == ("scope",)


def test_only_satisfied_holds():
    states = ("satisfied", "pending", "not-satisfied", "upcoming", "not-applicable", "unknown")
    assert [Standing("log-02", state, "", (), None, ()).holds for state in states] == [True] + [False] * 5
