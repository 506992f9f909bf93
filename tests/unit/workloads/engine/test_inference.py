import json

import pytest

from ringfence.workloads.engine.inference import Served
from ringfence.workloads.engine.tensors import BadTensor, Slot, shown


class Twice:
    inputs = (Slot("input", "FP32", (-1, 2)),)
    outputs = (Slot("output", "FP32", (-1, 2)), Slot("count", "INT64", (1,)))

    def run(self, tensors, outputs):
        (one,) = tensors
        if one.data[:1] == [13]:
            raise ZeroDivisionError
        if one.data[:1] == [14]:
            raise BadTensor("the model does not take these inputs together")
        made = {"output": [2 * x for x in one.data], "count": [len(one.data)]}
        return [shown(slot.name, slot.datatype, (1,), made[slot.name]) for slot in outputs]


SERVED = Served("small", "1.0", Twice())
GOOD = {"inputs": [{"name": "input", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}


def infer(document, path="/v2/models/small/infer"):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return SERVED.answer("POST", path, body)


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/v2", "name", "ringfence"),
        ("/v2/health/live", "live", True),
        ("/v2/health/ready", "ready", True),
        ("/v2/models/small", "versions", ["1"]),
        ("/v2/models/small/ready", "ready", True),
        ("/v2/models/small/versions/1", "platform", "onnxruntime_onnx"),
        ("/v2/models/small/versions/1/ready?x=1", "name", "small"),
    ],
)
def test_health_and_metadata(path, field, value):
    status, document = SERVED.answer("GET", path, b"")
    assert (status, document[field]) == (200, value)


def test_metadata_describe_the_tensors():
    _, document = SERVED.answer("GET", "/v2/models/small", b"")
    assert document["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1, 2]}]


def test_an_inference():
    status, document = infer(GOOD | {"id": "7"})
    assert (status, document["model_name"], document["id"]) == (200, "small", "7")
    assert [one["data"] for one in document["outputs"]] == [[2, 4], [2]]
    assert infer(GOOD, "/v2/models/small/versions/1/infer")[0] == 200


def test_outputs_in_the_order_asked_for():
    _, document = infer(GOOD | {"outputs": [{"name": "count"}]})
    assert [one["name"] for one in document["outputs"]] == ["count"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/other", 404),
        ("GET", "/v2/models/small/versions/2", 404),
        ("GET", "/v2/models/small/other", 404),
        ("GET", "/v2/models/../small", 404),
        ("GET", "/", 404),
        ("GET", "/v2/models/small/infer", 405),
        ("POST", "/v2/health/ready", 405),
        ("POST", "/v2/models/small", 405),
    ],
)
def test_other_routes_and_methods(method, path, status):
    found, document = SERVED.answer(method, path, b"{}")
    assert (found, set(document)) == (status, {"error"})


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b'{"inputs": [], "inputs": []}',
        b'{"inputs": NaN}',
        b"[]",
        {},
        {"inputs": {}},
        {"inputs": []},
        {"inputs": GOOD["inputs"] * 2},
        {"inputs": GOOD["inputs"] * 65},
        {"inputs": [GOOD["inputs"][0] | {"data": [1]}]},
        GOOD | {"more": 1},
        GOOD | {"id": 7},
        GOOD | {"id": "x" * 200},
        GOOD | {"id": "a\nb"},
        GOOD | {"parameters": {"binary_data_output": True}},
        GOOD | {"outputs": [{"name": "other"}]},
        GOOD | {"outputs": [{"name": "output"}, {"name": "output"}]},
        GOOD | {"outputs": ["output"]},
        GOOD | {"outputs": {}},
        {"inputs": [GOOD["inputs"][0] | {"data": [14, 0]}]},
    ],
)
def test_what_is_no_request_is_refused_as_the_protocol_has_it(document):
    status, answer = infer(document)
    assert (status, set(answer)) == (400, {"error"})


def test_a_model_that_fails_is_our_failure():
    assert infer({"inputs": [GOOD["inputs"][0] | {"data": [13, 0]}]}) == (
        500,
        {"error": "the model failed on this input"},
    )
