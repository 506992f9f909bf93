"""A model in ONNX Runtime: from bytes, without files beside it, on few threads, always with the same result."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from ringfence.workloads.engine.frames import Header
from ringfence.workloads.engine.tensors import TYPES, BadTensor, Slot, Tensor, shown

PACKAGE = "onnxruntime"
NAMES = {
    "tensor(bool)": "BOOL", "tensor(uint8)": "UINT8", "tensor(uint16)": "UINT16", "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64", "tensor(int8)": "INT8", "tensor(int16)": "INT16", "tensor(int32)": "INT32",
    "tensor(int64)": "INT64", "tensor(float16)": "FP16", "tensor(float)": "FP32", "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}  # fmt: skip


class OrtRunner:
    """`inference.Runner` over ONNX Runtime."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.inputs: Sequence[Slot] = [_slot(given) for given in session.get_inputs()]
        self.outputs: Sequence[Slot] = [_slot(given) for given in session.get_outputs()]

    def run(self, tensors: Sequence[Tensor], outputs: Sequence[Slot]) -> list[dict[str, Any]]:
        """Return the outputs; raise `BadTensor` where the model does not take the inputs together."""
        import numpy as np

        feed = {
            one.name: np.array(one.data, dtype=TYPES[one.datatype]).reshape(one.shape)  # shape and range are checked
            for one in tensors
        }
        try:
            found = self._session.run([slot.name for slot in outputs], feed)
        except Exception as error:
            raise BadTensor("the model does not take these inputs together") from error
        return [
            shown(slot.name, slot.datatype, array.shape, array.reshape(-1).tolist())
            for slot, array in zip(outputs, found, strict=True)
        ]


def load(header: Header, model: bytes) -> tuple[OrtRunner, str]:
    """Load a model; return it with the release of ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = header.threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return OrtRunner(session), version(PACKAGE)


def _slot(given: Any) -> Slot:
    datatype = NAMES.get(given.type)
    if datatype is None:
        raise BadTensor(f"{given.name!r} is {given.type}, and only tensors can be served (skl2onnx: zipmap=False)")
    return Slot(given.name, datatype, tuple(size if isinstance(size, int) else -1 for size in given.shape))
