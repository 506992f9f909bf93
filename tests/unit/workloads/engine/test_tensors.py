import pytest

from ringfence.workloads.engine import tensors
from ringfence.workloads.engine.tensors import BadTensor, Slot

SLOTS = [Slot("x", "FP32", (-1, 2)), Slot("n", "INT8", (2,)), Slot("t", "BYTES", (1,)), Slot("b", "BOOL", ())]
GOOD = {"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1, 2.5, -3, 0]}


def test_flat_and_nested_data_are_the_same():
    flat = tensors.tensor(GOOD, SLOTS)
    assert flat == tensors.tensor(GOOD | {"data": [[1, 2.5], [-3, 0]]}, SLOTS)
    assert flat.shape == (2, 2)


def test_other_types_and_no_dimension():
    assert tensors.tensor({"name": "n", "shape": [2], "datatype": "INT8", "data": [-128, 127]}, SLOTS).data == [
        -128,
        127,
    ]
    assert tensors.tensor({"name": "t", "shape": [1], "datatype": "BYTES", "data": ["ä"]}, SLOTS).data == ["ä"]
    assert tensors.tensor({"name": "b", "shape": [], "datatype": "BOOL", "data": [True]}, SLOTS).data == [True]
    assert tensors.tensor(GOOD | {"shape": [0, 2], "data": []}, SLOTS).data == []


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "y"},
        {"name": None},
        {"more": 1},
        {"parameters": {"binary_data_size": 8}},
        {"datatype": "FP64"},
        {"shape": [2]},
        {"shape": [2, 3]},
        {"shape": [2, 2, 1]},
        {"shape": [-2, -2]},
        {"shape": [True, 2]},
        {"shape": [2.0, 2]},
        {"shape": "2,2"},
        {"shape": [2**40, 2]},
        {"shape": [1] * 9},
        {"data": [1, 2, 3]},
        {"data": [1, 2, 3, 4, 5]},
        {"data": [[1, 2], [3]]},
        {"data": [[1, 2], 3, 4]},
        {"data": [[1, 2]]},
        {"data": [[1], [2], [3], [4]]},
        {"data": [[[1], [2]], [[3], [4]]]},
        {"data": [1, 2, 3, "4"]},
        {"data": [1, 2, 3, True]},
        {"data": [1, 2, 3, None]},
        {"data": [1, 2, 3, 1e39]},
        {"data": [1, 2, 3, float("nan")]},
        {"data": [1, 2, 3, 10**400]},
        {"data": "AAAA"},
        {"data": None},
    ],
)
def test_what_does_not_fit_is_refused(changes):
    with pytest.raises(BadTensor):
        tensors.tensor(GOOD | changes, SLOTS)


@pytest.mark.parametrize(
    ("slot", "data"),
    [
        ("n", [128, 0]),
        ("n", [-129, 0]),
        ("n", [1.0, 0]),
        ("n", [True, 0]),
        ("t", [7]),
        ("t", ["x" * 70_000]),
        ("b", [1]),
    ],
)
def test_elements_beyond_their_type_are_refused(slot, data):
    known = next(one for one in SLOTS if one.name == slot)
    document = {"name": slot, "shape": list(known.shape), "datatype": known.datatype, "data": data}
    with pytest.raises(BadTensor):
        tensors.tensor(document, SLOTS)


@pytest.mark.parametrize("document", [None, [], "x", 7])
def test_what_is_no_object_is_refused(document):
    with pytest.raises(BadTensor):
        tensors.tensor(document, SLOTS)


@pytest.mark.parametrize("number", [10**400, -(10**309), float("inf"), float("nan")], ids=["wide", "low", "inf", "nan"])
def test_a_number_that_no_double_holds_is_refused(number):
    with pytest.raises(BadTensor):
        tensors.tensor({"name": "d", "shape": [1], "datatype": "FP64", "data": [number]}, [Slot("d", "FP64", (1,))])


def test_an_output_that_json_has_no_word_for_is_refused():
    assert tensors.shown("y", "FP32", (1,), [1.5])["data"] == [1.5]
    for number in (float("nan"), float("inf")):
        with pytest.raises(BadTensor, match="not finite"):
            tensors.shown("y", "FP32", (1,), [number])
