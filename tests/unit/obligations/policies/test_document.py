import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.policies.document import MAX_POLICY, parse
from ringfence.obligations.policies.model import Broken, Declared, Observed
from ringfence.testing.policies import filled

HEAD = '---\npolicy: logging\nversion: "1.0"\n---\n'


def read(text):
    return parse(text.encode(), source="logging.md")


def test_a_filled_template_is_read_whole():
    policy = read(filled())
    assert policy.header["policy"] == "logging"
    assert policy.header["version"] == "1.0"
    assert policy.title == "Logging policy"
    assert policy.parts == ("objectives", "scope", "roles", "retention-list")
    assert policy.observes == ("log-01.coverage", "log-02", "log-04", "log-06")
    assert not policy.problems


def test_a_passage_knows_its_line_and_its_mark():
    policy = read(HEAD + "# Title\n\n## One {scope}\n\n{{declared: Ada, 2026-11-22}}\nThis is\nsaid.\n")
    (passage,) = policy.passages
    assert (passage.line, passage.text) == (9, "This is said.")
    assert isinstance(passage.mark, Declared)
    assert passage.mark.owner == "Ada"


def test_a_paragraph_without_a_mark_is_kept_and_nobody_stands_for_it():
    (passage,) = read(HEAD + "## One\n\nAll is well here.\n").passages
    assert passage.mark is None


def test_explanations_claim_nothing():
    assert not list(read(HEAD + "## One\n\n> Asked for by a rule.\n").passages)


@pytest.mark.parametrize(
    "mark",
    [
        "{{observed: LOG-02}}",
        "{{observed: control LOG}}",
        "{{declared: Ada}}",
        "{{declared: Ada, 2026-13-45}}",
        "{{declared: [role], [day]}}",
    ],
)
def test_a_mark_that_cannot_be_read_is_a_problem_and_its_sentence_stays(mark):
    policy = read(HEAD + f"## One {{scope}}\n\n{mark}\nSomething is said.\n")
    assert len(policy.problems) == 1
    assert [type(p.mark) for p in policy.passages] == [Broken]
    assert policy.parts == ("scope",)


def test_control_and_rule_are_named_in_small_letters():
    text = "{{observed: rule log-02.chain}}\nOne.\n\n{{observed: control LOG-02}}\nTwo.\n"
    assert [p.mark for p in read(HEAD + text).passages] == [Observed("log-02.chain"), Observed("log-02")]


def test_a_header_holds_each_known_key_once():
    policy = read("---\npolicy: logging\npolicy: training\ncolour: red\n---\n")
    assert [problem.line for problem in policy.problems] == [3, 4]


@pytest.mark.parametrize(
    "data",
    [b"", b"# Policy", b"---\npolicy: x\n", b"---\n\xff\n---\n", b"---\n---\n\x07", b"x" * (MAX_POLICY + 1)],
)
def test_what_is_no_policy_is_refused(data):
    with pytest.raises(MalformedInput):
        parse(data, source="x")


@pytest.mark.parametrize("line", ["# " + " " * 50_000 + "}", "{{declared:" + " " * 50_000 + "{"])
def test_a_long_row_of_blanks_is_read_in_one_go(line):
    # Divided in every way, as it once was, a tenth of these took hours.
    read = parse(f"---\npolicy: logging\n---\n{line}\n".encode(), source="x")
    assert read.problems or read.sections[0].passages[0].mark is None
