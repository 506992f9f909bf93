"""Whatever bytes a parser of the sealed format is given, it returns a value that prints the same, or refuses."""

from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.chunk import parse_header, print_header
from ringfence.artifacts.index import parse_index, print_index
from ringfence.artifacts.manifest import parse_manifest, print_manifest
from ringfence.artifacts.opening import open_dataset
from ringfence.artifacts.provenance import parse_provenance
from ringfence.artifacts.seal import parse_key_file, parse_seal, print_key_file, print_seal
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.artifacts import sealed_in_memory

SEALED = sealed_in_memory({"a/b": b"x", "c": b"y" * 70_000})
FILES = SEALED.vault.files
HEADER = next(data for name, data in FILES.items() if name.startswith("objects/"))[:128]
with open_dataset(SEALED.vault, SEALED.digest, 1, SEALED.keyring) as _dataset:
    MANIFEST = print_manifest(_dataset.manifest)


def near(data):
    """Give `data` with a few bytes replaced, or anything at all."""

    def edited(edits):
        changed = bytearray(data)
        for at, value in edits:
            changed[at] = value
        return bytes(changed)

    places = st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255))
    return st.lists(places, max_size=4).map(edited) | st.binary(max_size=200)


def expect_same_or_refused(parse, printed, data):
    try:
        value = parse(data)
    except MalformedInput:
        return
    assert printed(value) == data


@given(near(HEADER))
def test_header(data):
    expect_same_or_refused(parse_header, print_header, data)


@given(near(FILES["index"]))
def test_index(data):
    expect_same_or_refused(
        lambda given: parse_index(given, 65536), lambda found: print_index(list(found.values())), data
    )


@given(near(FILES["seal.json"]))
def test_seal(data):
    expect_same_or_refused(parse_seal, print_seal, data)


@given(near(MANIFEST))
def test_manifest(data):
    expect_same_or_refused(parse_manifest, print_manifest, data)


@given(near(FILES["key.json"]))
def test_key_file(data):
    try:
        found = parse_key_file(data, SEALED.seal)
    except MalformedInput:
        return
    assert parse_key_file(print_key_file(SEALED.seal, found), SEALED.seal) == found


@given(st.text(max_size=200) | near(b"licence: MIT\nsteps:\n - a\n").map(lambda data: data.decode("latin-1")))
def test_provenance(text):
    expect_same_or_refused(parse_provenance, lambda found: found.file, text.encode("utf-8", "replace"))
