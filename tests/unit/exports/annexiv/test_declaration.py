import pytest

from ringfence.exports.annexiv.declaration import parse, template
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.techdoc import DATASET, SYSTEM, TEXT, declared


def test_a_sentence_has_its_author_its_day_and_what_it_concludes_from():
    read = declared()
    (sentence,) = read.points["iv-1"]
    assert (sentence.author, sentence.on.isoformat(), sentence.rests_on) == ("Head of Product", "2026-11-22", (0,))
    assert read.uses["dataset"] == (DATASET,)
    assert not read.problems


def test_the_template_as_it_ships_declares_nothing_and_is_no_placeholder():
    read = parse(template(SYSTEM).encode(), source="x")
    assert read.problems == ()
    assert not any(read.points.values())
    assert list(read.points) == [f"iv-{n}" for n in range(1, 10)]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("The system sorts X-ray images by urgency for the radiologists of a hospital.", "todo", "iv-1[0].text"),
        ("The system sorts X-ray images by urgency for the radiologists of a hospital.", "sdf", "iv-1[0].text"),
        ("sorts X-ray images", "sorts [images]", "iv-1[0].text"),
        ("Head of Product", "xxx", "iv-1[0].author"),
        ("    author: Head of Product\n", "", "iv-1[0].author"),
        ("    date: 2026-11-22\n", "", "iv-1[0].date"),
        ("points:", "form: simplified\npoints:", "simplified_because"),
    ],
)
def test_each_placeholder_is_named_with_line_and_field(old, new, field):
    (problem,) = declared(TEXT.replace(old, new)).problems
    assert problem.field == field
    assert problem.line > 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "system: 1",
        "- a",
        f"system: {SYSTEM}\ncolour: red",
        f"system: {SYSTEM}\npoints: {{iv-10: []}}",
        f"system: {SYSTEM}\npoints: {{iv-1: text}}",
        f"system: {SYSTEM}\npoints: {{iv-1: [text]}}",
        f"system: {SYSTEM}\nuses: {{planet: [mars]}}",
        f"system: {SYSTEM}\nuses: {{model: ['a b']}}",
        f"system: {SYSTEM}\nwindow: {{to: soon}}",
        f"system: {SYSTEM}\nform: short",
        TEXT.replace("rests_on: [0]", "rests_on: [-1]"),
        TEXT.replace("rests_on: [0]", "rests_on: [first]"),
        TEXT.replace("date: 2026-11-22", "date: 2026-13-01"),
    ],
)
def test_what_is_no_declaration_is_refused(text):
    with pytest.raises(MalformedInput):
        parse(text.encode(), source="x")
