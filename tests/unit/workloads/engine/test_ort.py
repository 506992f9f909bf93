import pytest

from ringfence.testing.engines import twice
from ringfence.workloads.engine import ort
from ringfence.workloads.engine.frames import ONNX, Header
from ringfence.workloads.engine.tensors import BadTensor, Slot, Tensor

pytest.importorskip("onnxruntime", reason="no onnxruntime here (it is an extra)")
HEADER = Header(ONNX, "small", 10, "sha256:" + "0a" * 32)


def test_a_model_in_memory_is_run():
    runner, release = ort.load(HEADER, twice())
    assert runner.inputs == [Slot("input", "FP32", (-1, 2))]
    given = [Tensor("input", "FP32", (1, 2), [1, 2.5])]
    assert runner.run(given, runner.outputs) == [
        {"name": "output", "shape": [1, 2], "datatype": "FP32", "data": [2.0, 5.0]}
    ]
    assert release[0].isdigit()


def test_inputs_that_the_model_does_not_take_are_the_callers_fault():
    runner, _ = ort.load(HEADER, twice())
    with pytest.raises(BadTensor, match="together"):
        runner.run([Tensor("input", "FP32", (1, 3), [1, 2, 3])], runner.outputs)


def test_what_is_no_tensor_is_refused_when_it_loads():
    class Given:
        name, type, shape = "probabilities", "seq(map(int64,tensor(float)))", []

    with pytest.raises(BadTensor, match="zipmap=False"):
        ort._slot(Given())


def test_bytes_that_are_no_model_are_refused():
    with pytest.raises(Exception, match=r"(?i)protobuf|parse|invalid"):
        ort.load(HEADER, b"not a model")
