"""Typed fields: what each accepts, and that everything else is refused at its place."""

from datetime import date
from fractions import Fraction

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.obligations.scope import fields
from ringfence.obligations.scope.countries import COUNTRIES
from ringfence.obligations.scope.document import compose
from ringfence.obligations.scope.fields import Fields


def opened(text):
    return Fields.of(compose(text.encode(), source="f.yaml"), "f.yaml")


def read(kind, text, *arguments):
    return getattr(opened(f"key: {text}\n"), kind)("key", *arguments)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("truth", "yes", True),
        ("truth", "False", False),
        ("money", "9_000_000", 9_000_000),
        ("money", "0", 0),
        ("number", "49.5", Fraction(99, 2)),
        ("number", "5_000", Fraction(5000)),
        ("percent", "33.3333", Fraction(333333, 10000)),
        ("compute", "3.5e24", Fraction(35) * 10**23),
        ("compute", "1e+23", Fraction(10) ** 23),
        ("compute", "100", Fraction(100)),
        ("compute", '"1e24"', Fraction(10) ** 24),
        ("money", "9000000.0", 9_000_000),
        ("day", "2026-03-01", date(2026, 3, 1)),
        ("text", '"unknown things"', "unknown things"),
    ],
)
def test_accepted(kind, text, value):
    assert read(kind, text) == value


@pytest.mark.parametrize("kind", ["truth", "money", "number", "percent", "compute", "day", "text", "items"])
@pytest.mark.parametrize("text", ["unknown", "", "~", "null", '"unknown"'])
def test_unknown_in_every_form(kind, text):
    assert read(kind, text) is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("truth", "perhaps"),
        ("truth", '"yes"'),
        ("truth", "1"),
        ("money", "-1"),
        ("money", "1.5"),
        ("money", "1e6"),
        ("money", "9_00"),
        ("money", '"9"'),
        ("money", "[9]"),
        ("money", "1" * 16),
        ("number", "-3"),
        ("number", ".5"),
        ("number", "many"),
        ("number", "0x10"),
        ("percent", "100.1"),
        ("compute", "-1e24"),
        ("compute", "1e999"),
        ("day", "2026-02-30"),
        ("day", "1.3.2026"),
        ("items", "one"),
        ("text", '"line\\nbreak"'),
        ("text", '"\\e[31m"'),
        ("text", '"\\ud800"'),
        ("text", "x" * 201),
    ],
)
def test_refused_at_its_place(kind, text):
    with pytest.raises(MalformedInput, match=r"^f\.yaml:1:6: ") as caught:
        read(kind, text)
    assert (caught.value.line, caught.value.column) == (1, 6)


def test_a_pair_of_json_escapes_is_one_character():
    assert read("text", '"\\ud83d\\ude80"') == "🚀"


@pytest.mark.parametrize("code", ["DE", "NO", "GR"])
def test_a_country_is_two_letters_and_norway_is_no_boolean(code):
    assert read("country", code, COUNTRIES) == code
    assert opened(f"key: [{code}]\n").countries("key", COUNTRIES) == (code,)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("EL", "write GR"),
        ("UK", "write GB"),
        ("de", "write DE"),
        ("Germany", "write DE"),
        ("'DE '", "write DE"),
        ("EU", "name its Member States"),
        ("XX", "two capital"),
    ],
)
def test_a_code_that_is_none_is_refused(code, hint):
    with pytest.raises(MalformedInput, match=hint):
        read("country", code, COUNTRIES)
    with pytest.raises(MalformedInput, match=hint) as caught:
        opened(f"key: [DE, {code}]\n").countries("key", COUNTRIES)
    assert (caught.value.line, caught.value.column) == (1, 11)


def test_words_come_from_a_list_and_once():
    assert opened("key: [a, b]\n").words("key", ["a", "b"]) == ("a", "b")
    for text in ("key: [a, c]\n", "key: [a, a]\n", "key: [[a]]\n"):
        with pytest.raises(MalformedInput):
            opened(text).words("key", ["a", "b"])
    with pytest.raises(MalformedInput, match="twice"):
        opened("key: [DE, DE]\n").countries("key", COUNTRIES)


def test_a_key_that_stands_twice_is_refused_where_it_stands_again():
    with pytest.raises(MalformedInput, match="stands twice") as caught:
        opened("a: 1\nb: 2\na: 3\n")
    assert (caught.value.line, caught.value.column) == (3, 1)


def test_an_unknown_key_is_refused_with_the_known_ones():
    with pytest.raises(MalformedInput, match="known are: a") as caught:
        fields.read_whole(opened("a: 1\nbee: 2\n"), lambda one: one.money("a"))
    assert (caught.value.line, caught.value.column) == (2, 1)


def test_keys_inside_lists_are_checked_too():
    with pytest.raises(MalformedInput, match="'c' is not known"):
        opened("key: [{a: 1}, {c: 2}]\n").each("key", lambda one: one.money("a"))


@pytest.mark.parametrize("text", ["- 1\n", "word\n", "? [a]\n: 1\n"])
def test_something_that_is_no_mapping_is_refused(text):
    with pytest.raises(MalformedInput):
        opened(text)


def test_a_day_or_a_word():
    assert fields.day_or(opened("key: not_yet\n"), "key", "not_yet") == "not_yet"
    assert fields.day_or(opened("key: 2026-01-02\n"), "key", "not_yet") == date(2026, 1, 2)


def test_a_list_is_bounded():
    with pytest.raises(MalformedInput, match="the limit is"):
        opened("key: [" + "1," * fields.MAX_ITEMS + "1]\n").items("key")
