"""Tensors of the Open Inference Protocol: names, shapes, data types and JSON data, strictly checked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MOST_ELEMENTS = 2**22
MOST_DIMENSIONS = 8
LONGEST_TEXT = 2**16
MOST_TENSORS = 64

# Data type of the protocol -> type of numpy
TYPES = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64", "INT8": "int8",
    "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP16": "float16", "FP32": "float32", "FP64": "float64",
    "BYTES": "object",
}  # fmt: skip
_BITS = {name: int(name.lstrip("UINT")) for name in TYPES if "INT" in name}
_LARGEST = {"FP16": 65_504.0, "FP32": 3.4028234663852886e38, "FP64": 1.7976931348623157e308}


class BadTensor(ValueError):
    """What was sent is no tensor, or none that the model takes."""


@dataclass(frozen=True, slots=True)
class Slot:
    """An input or output of the model; a dimension below zero may be anything."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def described(self) -> dict[str, Any]:
        """Return what the model's metadata says of it."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


@dataclass(frozen=True, slots=True)
class Tensor:
    """What was sent for an input, flat."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: list[Any]


def tensor(document: object, slots: Sequence[Slot]) -> Tensor:
    """Read one input; raise `BadTensor` with a sentence."""
    if not isinstance(document, dict) or not set(document) <= {"name", "shape", "datatype", "data", "parameters"}:
        raise BadTensor("an input has name, shape, datatype and data")
    slot = _slot(document.get("name"), slots)
    shape = _shape(document.get("shape"), slot)
    if document.get("parameters"):
        raise BadTensor(f"input {slot.name!r}: no parameters are understood")
    if document.get("datatype") != slot.datatype:
        raise BadTensor(f"input {slot.name!r} is {slot.datatype}")
    data = _flat(document.get("data"), shape, slot)
    wanted = math.prod(shape)
    if len(data) != wanted:
        raise BadTensor(f"input {slot.name!r}: {len(data)} elements do not fill shape {list(shape)}")
    for element in data:
        _check(element, slot)
    return Tensor(slot.name, slot.datatype, shape, data)


def _slot(name: object, slots: Sequence[Slot]) -> Slot:
    for slot in slots:
        if slot.name == name:
            return slot
    raise BadTensor(f"the model has the inputs {', '.join(slot.name for slot in slots)}")


def _shape(shape: object, slot: Slot) -> tuple[int, ...]:
    if not isinstance(shape, list) or len(shape) > MOST_DIMENSIONS:
        raise BadTensor(f"input {slot.name!r}: shape is a list of at most {MOST_DIMENSIONS} dimensions")
    if any(type(size) is not int or not 0 <= size <= MOST_ELEMENTS for size in shape):
        raise BadTensor(f"input {slot.name!r}: a dimension is a whole number from 0 to {MOST_ELEMENTS}")
    if math.prod(shape) > MOST_ELEMENTS:
        raise BadTensor(f"input {slot.name!r}: at most {MOST_ELEMENTS} elements")
    fits = len(shape) == len(slot.shape) and all(
        wanted in {-1, size} for size, wanted in zip(shape, slot.shape, strict=True)
    )
    if not fits:
        raise BadTensor(f"input {slot.name!r}: shape {shape} does not fit {list(slot.shape)}")
    return tuple(shape)


def _flat(data: object, shape: Sequence[int], slot: Slot) -> list[Any]:
    """Return the elements of data that are flat already or nested exactly as the shape says."""
    if not isinstance(data, list):
        raise BadTensor(f"input {slot.name!r}: data is a list")
    if not any(isinstance(element, list) for element in data):
        return data
    level = data
    for depth, size in enumerate(shape[1:], start=1):
        if not all(isinstance(part, list) and len(part) == size for part in level):
            raise BadTensor(f"input {slot.name!r}: data is not nested as its shape says (dimension {depth})")
        level = [element for part in level for element in part]
    if len(data) != shape[0]:
        raise BadTensor(f"input {slot.name!r}: data is not nested as its shape says (dimension 0)")
    return level


def _check(element: object, slot: Slot) -> None:
    if not _fits(element, slot.datatype):
        raise BadTensor(f"input {slot.name!r}: an element is no {slot.datatype}")


def _fits(element: object, datatype: str) -> bool:
    if datatype == "BOOL":
        return isinstance(element, bool)
    if datatype == "BYTES":
        return isinstance(element, str) and len(element) <= LONGEST_TEXT
    if isinstance(element, bool) or not isinstance(element, int | float):
        return False
    if datatype in _BITS:
        bits = _BITS[datatype]
        low, high = (0, 2**bits) if datatype.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1))
        return isinstance(element, int) and low <= element < high
    return abs(element) <= _LARGEST[datatype]  # which a number that is not finite never is


def shown(name: str, datatype: str, shape: Sequence[int], data: list[Any]) -> dict[str, Any]:
    """Return an output as the protocol has it; raise `BadTensor` where JSON has no word for a number in it."""
    if datatype.startswith("FP") and not all(math.isfinite(element) for element in data):
        raise BadTensor(f"output {name!r} holds a number that is not finite")
    return {"name": name, "shape": list(shape), "datatype": datatype, "data": data}
