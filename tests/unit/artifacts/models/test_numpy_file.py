import io

import numpy as np
import pytest

from ringfence.artifacts.models import numpy_file
from ringfence.artifacts.models.cursor import Held
from ringfence.kernel.errors import MalformedInput


def saved(array):
    kept = io.BytesIO()
    np.save(kept, array, allow_pickle=True)
    return kept.getvalue()


def test_plain_arrays_hold_no_objects():
    for array in (np.ones((2, 3)), np.array(["ab"]), np.zeros(2, dtype=[("a", "<i4"), ("b", "<f8")]), np.array(5)):
        assert numpy_file.check(Held(saved(array))) is False


def test_objects_are_seen():
    assert numpy_file.check(Held(saved(np.array([{}, None], dtype=object)))) is True
    assert numpy_file.check(Held(saved(np.zeros(1, dtype=[("a", "O")])))) is True


@pytest.mark.parametrize(
    "data",
    [
        b"\x93NUMPX\x01\x00\x00\x00",
        b"\x93NUMPY\x09\x00\x00\x00",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
        b"\x93NUMPY\x01\x00\x05\x00__imp",
        b"\x93NUMPY\x01\x00\xff",
    ],
)
def test_other_headers_are_refused(data):
    with pytest.raises(MalformedInput):
        numpy_file.check(Held(data))


def headed(kind, shape="(1,)", body=bytes(8)):
    header = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + body


def object_array():
    return np.array([None], dtype=object).dumps()


@pytest.mark.parametrize(
    "kind", ["'object'", "'|\\x4f'", "'O'", "[('a', 'object')]", "'<f8', 'descr': 'object'", "'O,i4'"]
)
def test_no_other_name_of_objects_gets_through(kind):
    data = headed(kind, body=object_array())
    try:
        assert numpy_file.check(Held(data)) is True
    except MalformedInput:
        return


@pytest.mark.parametrize("kind", ["'object'", "'|\\x4f'"])
def test_numpy_takes_these_for_objects(kind):
    assert np.load(io.BytesIO(headed(kind, body=object_array())), allow_pickle=True).tolist() == [None]


@pytest.mark.parametrize(
    ("kind", "shape", "body"),
    [
        ("'<f8'", "(1,)", bytes(9)),
        ("'<f8'", "(2,)", bytes(8)),
        ("'<f8'", "()", b""),
        ("'<U2'", "(1,)", bytes(2)),
        ("[('a', '<f8')]", "(1,)", bytes(7)),
        ("[('a', '<f8', (2,))]", "(1,)", bytes(8)),
        ("[('a', '<f8', 2)]", "(1,)", bytes(16)),
        ("[('a',)]", "(1,)", bytes(8)),
        ("[" * 20 + "]" * 20, "(1,)", bytes(8)),
        ("'f8'", "(1,)", bytes(8)),
        ("None", "(1,)", bytes(8)),
        ("'<f8'", "(1)", bytes(8)),
        ("'<f8'", "(, )", bytes(8)),
        ("x", "(1,)", bytes(8)),
    ],
)
def test_bytes_that_are_not_those_of_shape_and_type_are_refused(kind, shape, body):
    with pytest.raises(MalformedInput):
        numpy_file.check(Held(headed(kind, shape, body)))


@pytest.mark.parametrize(
    "kind",
    [
        *("?", "i1", ">u8", "f2", "c16", "S5", "U3", "V4", "M8[ns]", "m8[25s]", "f16"),
        [("a", "<f4", (2, 3)), ("b", [("c", "U1")])],
        [(("title", "a"), "<i4")],
        np.dtype([("a", "i1"), ("b", "f8")], align=True),
    ],
)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_whatever_numpy_saves_of_numbers_and_texts_passes(kind, shape):
    assert numpy_file.check(Held(saved(np.zeros(shape, dtype=kind)))) is False
