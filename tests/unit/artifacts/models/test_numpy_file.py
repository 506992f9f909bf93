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
