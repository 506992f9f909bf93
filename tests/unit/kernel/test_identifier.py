import pytest

from ringfence.kernel import identifier
from ringfence.kernel.errors import MalformedInput

GOOD = {
    identifier.tenant: ["a", "main", "a-1", "a" * 32],
    identifier.log_origin: ["localhost/log", "a.eu", "demo/x-1/y"],
    identifier.key_id: ["0" * 64, "f" * 64],
    identifier.person_id: ["person-0123456789ab"],
    identifier.predicate_name: ["dataset.sealed", "a.b_c.d9", "a." + "b" * 126],
}
BAD = {
    identifier.tenant: ["", "A", "1a", "-a", "a_b", "a/b", "../a", "a" * 33, "a\n", "ä", None, 1, ["a"]],
    identifier.log_origin: ["", "ab", "A.eu/log", "-a/b", "a/b-", "a b", "a+b/c", "a\n/b", "a" * 129, None],
    identifier.key_id: ["", "0" * 63, "0" * 65, "F" * 64, "0" * 64 + "\n", None, b"0" * 64],
    identifier.person_id: ["", "person-", "person-0123456789AB", "person-0123456789abc", "person-0123456789ab\n", 1],
    identifier.predicate_name: [
        "",
        "dataset",
        "dataset.",
        ".sealed",
        "Dataset.sealed",
        "a..b",
        "a.1",
        "a." + "b" * 127,
    ],
}


@pytest.mark.parametrize(("parse", "text"), [(parse, text) for parse, texts in GOOD.items() for text in texts])
def test_what_fits_is_returned_unchanged(parse, text):
    assert parse(text) == text


@pytest.mark.parametrize(("parse", "text"), [(parse, text) for parse, texts in BAD.items() for text in texts])
def test_what_does_not_fit_is_refused(parse, text):
    with pytest.raises(MalformedInput):
        parse(text)


def test_a_refusal_does_not_repeat_a_long_text():
    with pytest.raises(MalformedInput) as caught:
        identifier.tenant("A" * 10**6)
    assert len(str(caught.value)) < 300


def test_the_predicate_type_is_mapped_both_ways():
    name = identifier.predicate_name("dataset.sealed")
    assert identifier.predicate_type(name) == "urn:ringfence:dataset.sealed:v1"
    assert identifier.from_predicate_type("urn:ringfence:dataset.sealed:v1") == name


@pytest.mark.parametrize(
    "text",
    ["", "dataset.sealed", "urn:ringfence:dataset.sealed:v2", "urn:other:dataset.sealed:v1", "urn:ringfence::v1", 7],
)
def test_other_predicate_types_are_refused(text):
    with pytest.raises(MalformedInput):
        identifier.from_predicate_type(text)


@pytest.mark.parametrize(
    "value", ["risk-0123", "risk-0123456789AB", "exception-0123456789ab", None, "risk-0123456789ab\n"]
)
def test_an_id_names_its_kind(value):
    with pytest.raises(MalformedInput):
        identifier.handle(value, "risk")
    assert identifier.handle("risk-0123456789ab", "risk") == "risk-0123456789ab"
