"""Whatever bytes a model's files hold, a scan has a verdict and a bundle is read or refused: nothing else is raised."""

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.artifacts.models import archives, gguf, numpy_file, oms, onnx, pickles, safetensors, sentencepiece
from ringfence.artifacts.models.cursor import Held
from ringfence.artifacts.models.model import Verdict
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import pae
from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.testing import models
from ringfence.testing.models import DISGUISED, HARMLESS, HOSTILE, described, judged, key, pair, tensor, text

SEEDS = [
    *HOSTILE.values(),
    *DISGUISED.values(),
    *HARMLESS.values(),
    models.safetensors({"a": tensor(0, 4, dtype="F32", shape=[1]), "__metadata__": {"a": "b"}}, bytes(4)),
    models.gguf([pair("a", 8, text("b"))], [described("w", [8], 0, 0)], bytes(32)),
    b"\x08\x0a\x3a\x14\x2a\x12\x6a\x10\x0a\x08location\x12\x04/etc",
    b"\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }            \n",
    b"PK\x05\x06" + bytes(18),
    b"\x0a\x0a\x0a\x01a\x15\x00\x00\x00\x00\x18\x01",
    b"a" * 257 + b"ustar" + bytes(250),
    b'{"auto_map": {}}',
]
NAMES = ("m.safetensors", "m.gguf", "m.onnx", "m.pkl", "m.bin", "model.safetensors.index.json")
CHECKS = [
    *(pickles.check, pickles.hidden, safetensors.check, gguf.check, onnx.check, numpy_file.check),
    *(sentencepiece.is_vocabulary, lambda content: list(archives.zipped(content))),
    lambda content: list(archives.tarred(content)),
]


@st.composite
def mutated(draw):
    """A file that is nearly one of those above: bytes changed, cut out, put in, or doubled."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        piece = draw(st.binary(max_size=9))
        match draw(st.sampled_from(["change", "cut", "insert", "double"])):
            case "change":
                data[at : at + len(piece)] = piece
            case "cut":
                del data[at : at + 1 + len(piece)]
            case "insert":
                data[at:at] = piece
            case _:
                data += data[at:]
    return bytes(data[:4096])


def survives(data, name):
    found = judged(data, name)
    assert found.verdict in Verdict
    for check in CHECKS:
        with suppress(MalformedInput):
            check(Held(data))


@given(st.binary(max_size=600), st.sampled_from(NAMES))
def test_any_bytes(data, name):
    survives(data, name)


@settings(max_examples=150)
@given(mutated(), st.sampled_from(NAMES))
def test_nearly_right_bytes(data, name):
    survives(data, name)


@pytest.mark.soak
@settings(max_examples=10_000)
@given(mutated(), st.sampled_from(NAMES))
def test_ten_thousand_mutations(data, name):
    survives(data, name)


@given(st.sampled_from(sorted(HOSTILE)), st.binary(max_size=40))
def test_nothing_behind_a_hostile_pickle_makes_it_harmless(name, more):
    assert judged(HOSTILE[name] + more, "weights.pkl").verdict is Verdict.REFUSED


BUNDLE = oms.sign(oms.manifest_of("m", {"a": Digest.of(b"1"), "b": Digest.of(b"2")}), key())


@settings(max_examples=150)
@given(st.integers(0, len(BUNDLE) - 1), st.binary(max_size=6))
def test_a_changed_bundle_is_refused_or_says_the_same(at, piece):
    data = BUNDLE[:at] + piece + BUNDLE[at + len(piece) :]
    try:
        manifest, _ = oms.verify(data, [key().public])
    except RingfenceError:
        return
    assert manifest == oms.verify(BUNDLE, [key().public])[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, st.sampled_from(["", "predicate", "predicate.resources", "predicate.serialization", "subject"]))
def test_whatever_a_trusted_key_signs_is_read_or_refused(value, place):
    document = json.loads(BUNDLE)
    statement = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    at = statement
    *parts, last = place.split(".")
    for part in parts:
        at = at[part]
    if last:
        at[last] = value
    payload = json.dumps(statement if last else value).encode()
    document["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    document["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(key().sign(pae(payload))).decode()
    with suppress(RingfenceError):
        oms.verify(json.dumps(document).encode(), [key().public])
