import numpy as np
import pytest
from safetensors.numpy import save

from ringfence.artifacts.models import safetensors as format_
from ringfence.artifacts.models.cursor import Held
from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.models import safetensors, tensor


def check(data):
    return format_.check(Held(data))


def test_files_that_the_library_writes_pass():
    arrays = {"a": np.ones((3, 4), dtype=np.float32), "b": np.zeros(5, dtype=np.int8), "empty": np.zeros((0, 3))}
    data = save(arrays, metadata={"format": "np"})
    assert set(check(data)) == set(arrays)
    assert format_.looks_like(Held(data))


@pytest.mark.parametrize(
    ("header", "data", "why"),
    [
        (b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{}}', b"x", "stands twice"),
        ({"a": tensor(0, 4), "b": tensor(2, 6)}, bytes(6), "overlaps"),
        ({"a": tensor(0, 4), "b": tensor(0, 4)}, bytes(4), "overlaps"),
        ({"a": tensor(0, 2), "b": tensor(3, 5)}, bytes(5), "belong to none"),
        ({"a": tensor(1, 3)}, bytes(3), "belong to none"),
        ({"a": tensor(0, 2)}, bytes(3), "behind the last tensor"),
        ({"a": tensor(0, 4)}, bytes(3), "missing at the end"),
        ({"a": tensor(0, 4, dtype="F32", shape=[2])}, bytes(4), "type times its shape"),
        ({"a": tensor(0, 4, shape=[-4])}, bytes(4), "not a list of sizes"),
        ({"a": tensor(0, 4, shape=[True])}, bytes(4), "not a list of sizes"),
        ({"a": tensor(4, 0, shape=[4])}, bytes(4), "are no range"),
        ({"a": tensor(0, 4, dtype="PICKLE")}, bytes(4), "unknown type"),
        ({"a": tensor(0, 4) | {"code": "x"}}, bytes(4), "fields beside"),
        ({"a": 1}, b"", "has no dtype"),
        ({"__metadata__": {"a": 1}}, b"", "not text"),
        ({"__metadata__": []}, b"", "no object"),
        (b'{"a": 1.5}', b"", "not an integer"),
        (b"[]", b"", "brace"),
        (b"{", b"", "not JSON"),
        (b'{"\xff": 1}', b"", "UTF-8"),
        (b"{" + b'"a":{' * 40 + b"}" * 41, b"", "nested"),
    ],
)
def test_what_the_format_forbids_is_refused(header, data, why):
    with pytest.raises(MalformedInput, match=why):
        check(safetensors(header, data))


def test_a_header_is_bounded_before_it_is_read():
    with pytest.raises(MalformedInput, match="the limit is"):
        check((format_.MAX_HEADER + 1).to_bytes(8, "little") + b"{}")
    with pytest.raises(MalformedInput, match="announced"):
        check((1000).to_bytes(8, "little") + b"{}")
    with pytest.raises(MalformedInput):
        check(b"\x00" * 4)


def test_small_types_are_counted_in_bits():
    assert check(safetensors({"a": tensor(0, 3, dtype="F4", shape=[6])}, bytes(3)))
    with pytest.raises(MalformedInput, match="type times its shape"):
        check(safetensors({"a": tensor(0, 3, dtype="F4", shape=[5])}, bytes(3)))


SHARDS = {"a.safetensors": ("x", "y"), "b.safetensors": ("z",)}
WHOLE = {"x": "a.safetensors", "y": "a.safetensors", "z": "b.safetensors"}


def test_an_index_that_names_exactly_the_shards_passes():
    format_.check_index(digest.dumps({"metadata": {"total_size": 3}, "weight_map": WHOLE}), "", SHARDS)


@pytest.mark.parametrize(
    ("mapped", "shards", "why"),
    [
        (WHOLE | {"z": "../b.safetensors"}, SHARDS, "which is not in"),
        (WHOLE, SHARDS | {"c.safetensors": ("q",)}, "does not name it"),
        (WHOLE, SHARDS | {"b.safetensors": ("z", "x")}, "two shards"),
        (WHOLE | {"x": "b.safetensors"}, SHARDS, "exactly the tensors"),
        ({"x": "a.safetensors", "z": "b.safetensors"}, SHARDS, "exactly the tensors"),
        (WHOLE | {"z": 5}, SHARDS, "is no name"),
        ({}, SHARDS, "no weight_map"),
    ],
)
def test_an_index_that_says_something_else_is_refused(mapped, shards, why):
    with pytest.raises(MalformedInput, match=why):
        format_.check_index(digest.dumps({"weight_map": mapped}), "", shards)
