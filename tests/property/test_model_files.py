"""Whatever bytes a model's files hold, a scan has a verdict and a bundle is read or refused: nothing else is raised."""

import base64
import bz2
import gzip
import json
import lzma
import zipfile
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.artifacts.models import (
    archives,
    compressed,
    gguf,
    numpy_file,
    oms,
    onnx,
    pickles,
    safetensors,
    sentencepiece,
)
from ringfence.artifacts.models.certificates import Authorities
from ringfence.artifacts.models.cursor import Held
from ringfence.artifacts.models.keys import SigningKey
from ringfence.artifacts.models.methods import Algorithm
from ringfence.artifacts.models.model import Verdict
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import pae
from ringfence.kernel.errors import MalformedInput, RingfenceError
from ringfence.testing import models
from ringfence.testing.certificates import START, issue
from ringfence.testing.hostile import old_tar, tarred
from ringfence.testing.models import DISGUISED, HARMLESS, HOSTILE, described, judged, key, pair, tensor, text
from ringfence.testing.plain import TEMPLATES, legacy_checkpoint, torch_checkpoint

FORMATS = {
    "pickle": [*HOSTILE.values(), *DISGUISED.values(), *HARMLESS.values(), legacy_checkpoint()],
    "safetensors": [
        models.safetensors({"a": tensor(0, 4, dtype="F32", shape=[1]), "__metadata__": {"a": "b"}}, bytes(4))
    ],
    "gguf": [
        models.gguf([pair("a", 8, text("b"))], [described("w", [8], 0, 0)], bytes(32)),
        models.gguf([pair("tokenizer.chat_template", 8, text("{% for x in y %}{{ x|trim }}{% endfor %}"))]),
    ],
    "onnx": [b"\x08\x0a\x3a\x14\x2a\x12\x6a\x10\x0a\x08location\x12\x04/etc"],
    "numpy": [b"\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }            \n"],
    "zip": [b"PK\x05\x06" + bytes(18), torch_checkpoint(), torch_checkpoint(zipfile.ZIP_DEFLATED)],
    "tar": [b"a" * 257 + b"ustar" + bytes(250), tarred(("a", b"x" * 9))[:2048], old_tar("a", b"x")[:2048]],
    "compressed": [
        zlib.compress(b"a" * 99),
        gzip.compress(b"b" * 99, mtime=0),
        bz2.compress(b"c"),
        lzma.compress(b"d"),
    ],
    "text": [b'{"auto_map": {}}', *(one.encode() for one in TEMPLATES.values())],
    "vocabulary": [b"\x0a\x0a\x0a\x01a\x15\x00\x00\x00\x00\x18\x01"],
}
SEEDS = [seed for seeds in FORMATS.values() for seed in seeds]
NAMES = ("m.safetensors", "m.gguf", "m.onnx", "m.pkl", "m.bin", "model.safetensors.index.json")
CHECKS = [
    *(pickles.check, pickles.hidden, safetensors.check, gguf.check, onnx.check, numpy_file.check),
    *(sentencepiece.is_vocabulary, lambda content: list(archives.zipped(content))),
    lambda content: list(archives.tarred(content)),
    lambda content: (kind := compressed.kind_of(content)) and compressed.unpacked(content, kind),
]


@st.composite
def mutated(draw, seeds):
    """A file that is nearly one of those above: bytes changed, cut out, put in, or doubled."""
    data = bytearray(draw(st.sampled_from(seeds)))
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


@pytest.mark.parametrize("kind", FORMATS)
def test_two_hundred_mutations_of_each_format(kind):
    @settings(max_examples=200)
    @given(mutated(FORMATS[kind]), st.sampled_from(NAMES))
    def check(data, name):
        survives(data, name)

    check()


@pytest.mark.soak
@pytest.mark.parametrize("kind", FORMATS)
def test_ten_thousand_mutations_of_each_format(kind):
    @settings(max_examples=10_000)
    @given(mutated(FORMATS[kind]), st.sampled_from(NAMES))
    def check(data, name):
        survives(data, name)

    check()


@given(st.sampled_from(sorted(HOSTILE)), st.binary(max_size=40))
def test_nothing_behind_a_hostile_pickle_makes_it_harmless(name, more):
    assert judged(HOSTILE[name] + more, "weights.pkl").verdict is Verdict.REFUSED


MANIFEST = oms.manifest_of("m", {"a": Digest.of(b"1"), "b": Digest.of(b"2")})
BUNDLE = oms.sign(MANIFEST, key())
ROOT = issue("root", ca=True)
SIGNER = issue("signer", ROOT)
BUNDLES = {
    "key": (BUNDLE, oms.Trust(keys=[key().public])),
    "certificate": (
        oms.sign(MANIFEST, SigningKey(SIGNER.key), [SIGNER.der]),
        oms.Trust(authorities=Authorities([ROOT.certificate], START)),
    ),
}


def refused_or_equal(data, piece, at, trust):
    at %= len(data)
    try:
        files, _ = oms.read(data[:at] + piece + data[at + len(piece) :], trust)
    except RingfenceError:
        return
    assert files.manifest == MANIFEST


@pytest.mark.parametrize("kind", BUNDLES)
def test_a_changed_bundle_is_refused_or_says_the_same(kind):
    @settings(max_examples=200)
    @given(st.binary(max_size=6), st.integers(0, 2**16))
    def check(piece, at):
        refused_or_equal(BUNDLES[kind][0], piece, at, BUNDLES[kind][1])

    check()


@pytest.mark.soak
@pytest.mark.parametrize("kind", BUNDLES)
def test_ten_thousand_changed_bundles(kind):
    @settings(max_examples=10_000)
    @given(st.binary(max_size=6), st.integers(0, 2**16))
    def check(piece, at):
        refused_or_equal(BUNDLES[kind][0], piece, at, BUNDLES[kind][1])

    check()


@pytest.mark.parametrize("suffix", ["safetensors", "gguf", "pkl"])
def test_a_signed_file_with_any_other_byte_is_refused(suffix):
    data = {"safetensors": FORMATS["safetensors"][0], "gguf": FORMATS["gguf"][0], "pkl": HARMLESS["a set"]}[suffix]
    files = oms.signed_by("m", Algorithm.SHA256, {f"m.{suffix}": Digest.of(data).value})

    @settings(max_examples=200)
    @given(mutated([data]))
    def check(other):
        running = files.comparison(f"m.{suffix}")
        running.update(other)
        assert running.matches() == (other == data)

    check()


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
