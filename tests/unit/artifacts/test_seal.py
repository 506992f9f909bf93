import pytest

from ringfence.artifacts import seal
from ringfence.artifacts.model import DamagedSeal, Wrapping
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.artifacts import sealed_in_memory

SEALED = sealed_in_memory({"a": b"x"})
DATA = SEALED.vault.files["seal.json"]
OLDER = sealed_in_memory({"a": b"x"}, epoch=1).vault.files["seal.json"]
NEWER = sealed_in_memory({"a": b"x"}, epoch=2)


def test_a_seal_reads_back():
    assert seal.parse_seal(DATA) == SEALED.seal
    assert seal.print_seal(SEALED.seal) == DATA


@pytest.mark.parametrize("name", list(digest.loads(DATA)))
def test_every_field_is_needed_and_checked(name):
    document = digest.loads(DATA)
    for wrong in (None, "", "x", -1, [], True, "sha256:" + "0" * 63):
        with pytest.raises(MalformedInput, match=r"seal\.json"):
            seal.parse_seal(digest.dumps(document | {name: wrong}))
    del document[name]
    with pytest.raises(MalformedInput, match=r"seal\.json"):
        seal.parse_seal(digest.dumps(document))


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", DATA + b"\n", DATA[:-1], DATA.replace(b'"epoch":1', b'"epoch": 1')]
)
def test_one_byte_form(data):
    with pytest.raises(MalformedInput):
        seal.parse_seal(data)


def test_other_fields_and_long_files_are_refused():
    with pytest.raises(MalformedInput):
        seal.parse_seal(digest.dumps(digest.loads(DATA) | {"more": 1}))
    with pytest.raises(MalformedInput, match="limit"):
        seal.parse_seal(DATA + b" " * 4096)


def test_the_signed_digest_decides():
    assert seal.verify_seal(DATA, Digest.of(DATA), 1) == SEALED.seal
    with pytest.raises(DamagedSeal, match="not the seal file that was signed"):
        seal.verify_seal(DATA, Digest.of(b"other"), 1)
    with pytest.raises(DamagedSeal, match="not the seal file that was signed"):
        seal.verify_seal(b"{", Digest.of(b"other"), 1)


def test_an_older_epoch_in_the_place_of_the_newest_is_called_a_rollback():
    with pytest.raises(DamagedSeal, match=r"epoch 1, but epoch 2 .* rolled back"):
        seal.verify_seal(OLDER, NEWER.digest, 2)


def test_wrapped_keys_read_back():
    wrappings = [Wrapping("a" * 32, b"one"), Wrapping("b" * 32, bytes(40))]
    assert list(seal.parse_key_file(seal.print_key_file(SEALED.seal, wrappings), SEALED.seal)) == wrappings


def test_an_erased_key_file_has_no_wrapping():
    assert seal.parse_key_file(seal.print_key_file(SEALED.seal, []), SEALED.seal) == ()


def key_file(**change):
    good = {"algorithm": "AES-KWP", "kek": "a" * 32, "wrapped": "AAAA"}
    document = digest.loads(seal.print_key_file(SEALED.seal, []))
    return digest.dumps(document | {"wrappings": [good | change]})


@pytest.mark.parametrize(
    "data",
    [
        seal.print_key_file(SEALED.seal, [Wrapping("a" * 32, b"k")] * 9),
        seal.print_key_file(NEWER.seal, [Wrapping("a" * 32, b"k")]),
        b"{}",
        key_file(algorithm="none"),
        key_file(kek="../x"),
        key_file(wrapped="!"),
        key_file(wrapped=""),
        key_file(wrapped="A" * 400),
        key_file(more=1),
    ],
)
def test_what_is_not_a_key_file_of_this_seal(data):
    with pytest.raises(MalformedInput):
        seal.parse_key_file(data, SEALED.seal)
