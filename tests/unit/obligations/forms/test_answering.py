from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.forms import answering
from ringfence.testing.filled import lab_form

FORM = lab_form()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("outcome", " good ", "good"),
        ("required", "12", 12),
        ("announced", "Yes", True),
        ("announced", "false", False),
        ("parts", "first, second", ["first", "second"]),
        ("parts", "", []),
        ("names", "ada\nbob,eve", ["ada", "bob", "eve"]),
        ("heldOn", "2026-11-22", "2026-11-22"),
    ],
)
def test_a_text_becomes_the_answer_that_it_is(name, text, value):
    assert answering.claims_of(FORM, {name: text}) == {name: value}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("required", "-1"),
        ("required", "1.5"),
        ("required", "\u0661"),
        ("required", "9" * 16),
        ("announced", "perhaps"),
        ("outcome", "  "),
        ("names", "a" * (answering.MAX_ANSWER + 1)),
        ("minutes", "sha256:" + "0" * 64),
        ("other", "x"),
    ],
)
def test_what_is_no_answer_is_refused(name, text):
    with pytest.raises(MalformedInput):
        answering.claims_of(FORM, {name: text})


@pytest.mark.parametrize("given", [["x"], ["=x"], ["a=1", "a=2"]])
def test_pairs_are_taken_apart_strictly(given):
    with pytest.raises(MalformedInput, match="--set"):
        answering.pairs(given, "--set")


def test_a_value_may_hold_an_equals_sign():
    assert answering.pairs(["a=b=c"], "--set") == {"a": "b=c"}


def parse(text):
    return answering.parse(FORM, text.encode(), source="filled.yaml")


def test_a_filled_file_is_read():
    found = parse(
        "subject: acme\nclaims:\n  required: 3\n  announced: true\n  heldOn: 2026-11-22\n  parts: [first]\n"
        "files:\n  minutes: minutes.pdf\ndetails:\n  summary: all well\n"
    )
    assert found.claims == {"required": 3, "announced": True, "heldOn": "2026-11-22", "parts": ["first"]}
    assert (found.subject, dict(found.files), dict(found.details)) == (
        "acme",
        {"minutes": "minutes.pdf"},
        {"summary": "all well"},
    )


def test_what_is_left_open_in_the_details_is_left_out():
    assert parse("claims:\ndetails:\n  summary:\n").details == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("claims:\n  required:\n", "filled.yaml:2:12: required is not answered"),
        ("claims:\n  other: 1\n", "filled.yaml:2:10: the form does not ask other"),
        ("claims:\n  minutes: sha256:00\n", "does not ask minutes here"),
        ("claims:\n  required: 1.5\n", "not text, an integer"),
        ("claims: [1]\n", "claims is a list of names"),
        ("subject: [1]\n", "the subject is a short name"),
        ("details:\n  other: x\n", "no room for other"),
        ("details:\n  summary: 7\n", "is a text; quote it"),
        ("details:\n  summary: ' '\n", "is empty"),
        ("other: 1\n", "start from --template"),
        ("- 1\n", "start from --template"),
        ("claims: &a {}\n", "anchors"),
        ("claims: {}\nclaims: {}\n", "stands twice"),
    ],
)
def test_any_other_file_is_refused_with_its_place(text, words):
    with pytest.raises(MalformedInput) as caught:
        parse(text)
    assert words in str(caught.value)


@given(st.text(max_size=200))
def test_whatever_is_in_a_file_ends_in_an_answer_or_in_our_error(text):
    with suppress(MalformedInput):
        parse(text)


def test_free_texts_of_a_file_and_of_a_command_line_have_room_or_are_refused():
    document = answering.read(b"summary: all well\n", source="texts.yaml")
    assert answering.details_of(FORM, document, part="") == {"summary": "all well"}
    assert answering.texts_of(FORM, {"summary": "x"}) == {"summary": "x"}
    for bad in ({"other": "x"}, {"summary": " "}):
        with pytest.raises(MalformedInput, match="--detail"):
            answering.texts_of(FORM, bad)
    with pytest.raises(MalformedInput, match=r"texts\.yaml"):
        answering.read(b"- x\n", source="texts.yaml")


def test_a_document_is_attached_where_the_form_asks_for_one():
    answering.check_documents(FORM, ["minutes"])
    with pytest.raises(MalformedInput, match="it asks for minutes"):
        answering.check_documents(FORM, ["outcome"])


@pytest.mark.parametrize(("text", "unknown"), [("?", True), (" Don't know ", True), ("no", False), ("", False)])
def test_not_to_know_is_said_in_words(text, unknown):
    assert answering.is_unknown(text) is unknown
