import pytest

from ringfence.customers import questions
from ringfence.customers.questions import Pointer, Question
from ringfence.kernel.errors import MalformedInput

TABLE = (("ID", "Question", "Control", "Provision", "Keyword"), ("Q1", "Encrypted?", "SEC-01; SEC-02", "", ""))


def one(**about):
    return Question("Q1", "?", Pointer(**about))


def test_a_table_says_what_each_question_is_about():
    (found,) = questions.of_table(TABLE, {}, source="q")
    assert found == Question("Q1", "Encrypted?", Pointer(("SEC-01", "SEC-02")))


def test_the_map_adds_to_it_by_id_or_by_place():
    rows = (("question",), ("Encrypted?",), ("Trained?",))
    mapped = questions.read_map(b"questions:\n  '2': {keywords: [training], provisions: ['8.2']}\n", source="m")
    first, second = questions.of_table(rows, mapped, source="q")
    assert first.about == Pointer()
    assert second.about == Pointer((), ("8.2",), ("training",))


@pytest.mark.parametrize(
    "rows",
    [
        (("frage",), ("x",)),
        (("question", "question"), ("x", "y")),
        (("question", "control"), ("x", ";".join(["SEC-01"] * 65))),
    ],
)
def test_a_table_that_says_otherwise_is_refused(rows):
    with pytest.raises(MalformedInput):
        questions.of_table(rows, {}, source="q")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"questions: []",
        b"questions: {Q1: {}}",
        b"questions: {Q1: {control: [a]}}",
        b"questions: {Q1: {controls: a}}",
        b"questions: {Q1: {controls: [1]}}",
        b"questions: {}\nmore: 1",
        b"questions: {Q1: &a {controls: [x]}, Q2: *a}",
        b"x" * (questions.MAX_MAP + 1),
    ],
)
def test_a_map_that_is_none_is_refused(data):
    with pytest.raises(MalformedInput):
        questions.read_map(data, source="m")


def test_a_map_that_points_at_no_question_is_refused():
    with pytest.raises(MalformedInput, match="no question is called"):
        questions.of_table(TABLE, {"Q9": Pointer(("SEC-01",))}, source="q")


def test_each_way_of_matching_is_said(catalog):
    found = questions.match(catalog, one(controls=("SEC-01",), provisions=("28(3)(g)",), keywords=("backup",)))
    how = {match.control: match.how for match in found}
    assert how["SEC-01"] == "named"
    assert how["AST-07"] == "provision 28(3)(g) (gdpr)"
    assert how["BCM-02"] == "keyword backup in the title"


def test_nothing_is_guessed_from_the_question_itself(catalog):
    asked = Question("Q1", "Are backups encrypted at rest, SEC-01, NIS2 21(2)(h)?", Pointer())
    assert questions.match(catalog, asked) == ()


def test_a_keyword_is_a_whole_word_and_a_provision_a_whole_provision(catalog):
    assert questions.match(catalog, one(keywords=("acku",))) == ()
    assert questions.match(catalog, one(provisions=("28(3)(",))) == ()


def test_a_control_that_there_is_not_is_refused(catalog):
    with pytest.raises(MalformedInput, match="SEC-99"):
        questions.match(catalog, one(controls=("SEC-99",)))


def test_a_question_is_plain_for_a_program():
    asked = {"id": "Q1", "text": "?", "controls": ["SEC-01"], "provisions": [], "keywords": ["backup"]}
    assert questions.document(one(controls=("SEC-01",), keywords=("backup",))) == asked
