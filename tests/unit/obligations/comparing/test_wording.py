import pytest

from ringfence.obligations.comparing.wording import field, value, values

CONDITION = {"path": "result", "op": "equals", "because": "the chain is broken", "value": "pass"}


@pytest.mark.parametrize(
    ("there", "here", "words"),
    [
        ("92 d", "30 d", ("92 d", "30 d")),
        (None, "92 d", ("none", "92 d")),
        (True, False, ("yes", "no")),
        (["a", "b"], ["b", "c"], ("a", "c")),
        (["a"], ["a", "c"], ("nothing beyond", "c")),
        (["a", "b"], ["b", "a"], ("the same in another order", "the same in another order")),
        ({"nis2": ["21"], "iso": ["5"]}, {"nis2": ["21"], "iso": ["6"]}, ("iso 5", "iso 6")),
        ({"a": "1"}, {"a": "1", "b": "2"}, ("none", "b 2")),
        ([CONDITION], [], ("the chain is broken (claim result, compared by equals, value pass)", "nothing beyond")),
        ([CONDITION], [CONDITION | {"value": "fail"}], (
            "the chain is broken (claim result, compared by equals, value pass)",
            "the chain is broken (claim result, compared by equals, value fail)",
        )),
    ],
)  # fmt: skip
def test_two_values_in_words(there, here, words):
    assert values(there, here) == words


def test_a_value_in_a_value_is_called_by_what_it_says():
    assert value([CONDITION, {"x": [1, None]}]) == "the chain is broken; x 1; none"
    assert value([]) == "nothing"


def test_a_field_has_a_name_for_people():
    assert (field("freshness"), field("next_step")) == ("how old evidence may be", "next step")
