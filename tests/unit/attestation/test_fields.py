import pytest

from ringfence.attestation.fields import Fields, decoded, encoded, hexadecimal, index
from ringfence.kernel.errors import MalformedInput

GOOD = {"a": "text", "n": 3, "f": True, "l": [1], "t": {"x": 1}, "o": "YWI=", "none": None, "all": ["YWI="]}
NAMES = frozenset(GOOD)


def test_fields_are_read_as_what_they_are():
    fields = Fields(GOOD, "it", NAMES)
    assert (fields.text("a"), fields.number("n"), fields.flag("f")) == ("text", 3, True)
    assert (fields.items("l", 1), fields.table("t", 1), fields.octets("o")) == ([1], {"x": 1}, b"ab")
    assert fields.octets_or_none("none") is None
    assert fields.octets_or_none("o") == b"ab"
    assert (fields.all_octets("all", 1), fields.all_octets("none", 1)) == ((b"ab",), ())
    assert fields.raw("n") == 3
    assert ("none" in fields, "a" in fields) == (False, True)


@pytest.mark.parametrize(
    "read",
    [
        lambda fields: fields.text("n"),
        lambda fields: fields.text("a", 3),
        lambda fields: fields.number("f"),
        lambda fields: fields.number("n", 2),
        lambda fields: fields.flag("n"),
        lambda fields: fields.items("l", 0),
        lambda fields: fields.items("t", 1),
        lambda fields: fields.table("l", 1),
        lambda fields: fields.table("t", 0),
        lambda fields: fields.octets("a!"),
        lambda fields: fields.octets("n"),
        lambda fields: fields.all_octets("all", 0),
    ],
)
def test_nothing_is_converted(read):
    with pytest.raises(MalformedInput, match="it"):
        read(Fields(GOOD, "it", NAMES))


@pytest.mark.parametrize("value", [[], None, {}, GOOD | {"more": 1}])
def test_an_object_has_its_fields_and_no_others(value):
    with pytest.raises(MalformedInput):
        Fields(value, "it", NAMES)
    Fields(GOOD | {"more": 1}, "it", NAMES, frozenset({"more"}))


def test_bytes_have_one_form():
    assert decoded(encoded(b"\xff\x00"), "it") == b"\xff\x00"
    for wrong in ("YWI", "YWJ=", "YW I=", "ab!", 3, None):
        with pytest.raises(MalformedInput):
            decoded(wrong, "it")
    assert hexadecimal("00ff", 2, "it") == b"\x00\xff"
    for wrong in ("00FF", "00f", "00ff0", " 0ff", 3):
        with pytest.raises(MalformedInput):
            hexadecimal(wrong, 2, "it")


def test_numbers_as_text_have_one_form():
    assert index("23", 24, "it") == 23
    for wrong in ("24", "01", "-1", " 1", "\u0661", "", 1, "1" * 5000):
        with pytest.raises(MalformedInput):
            index(wrong, 24, "it")
