"""Signed notes and verifier keys: the example of c2sp.org/signed-note, and everything that it does not allow."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ringfence.kernel.errors import MalformedInput
from ringfence.ledger import note
from ringfence.ledger.note import Note, Signature, SignatureType, VerifierKey
from ringfence.testing.keys import log_keys

# The example at the end of c2sp.org/signed-note, version 1.0.0.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def test_the_example_of_the_specification() -> None:
    key = VerifierKey.parse(VKEY)
    parsed = note.parse(EXAMPLE)

    assert str(key) == VKEY
    assert (key.name, key.kind, key.key_id.hex()) == ("example.com/foo", SignatureType.ED25519, "530d903a")
    assert str(parsed) == EXAMPLE
    assert note.parse(EXAMPLE.encode()) == parsed
    assert parsed.text == "This is an example message.\n"
    assert parsed.signatures[0].is_by(key)
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(parsed.signatures[0].data, parsed.text.encode())


@pytest.mark.parametrize("kind", [0, 1])
def test_the_keys_of_a_log_print_and_parse(kind: int) -> None:
    vkey = log_keys()[kind]
    assert str(VerifierKey.parse(vkey)) == vkey


def test_a_line_is_only_by_a_key_of_the_same_name_and_id() -> None:
    key = VerifierKey.parse(VKEY)
    assert Signature("example.com/foo", key.key_id, b"x").is_by(key)
    assert not Signature("example.com/bar", key.key_id, b"x").is_by(key)
    assert not Signature("example.com/foo", b"\x00" * 4, b"x").is_by(key)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("foo", "bar"),
        VKEY.replace("foo", "f o"),
        VKEY.replace("+Aeky", "+Beky"),
        VKEY.removeprefix("example.com/foo"),
        VKEY[:-4],
        VKEY + "\n",
        VKEY + "AAAA",
        VKEY[:-1] + "l",
        VKEY[:-1] + "é",
    ],
)
def test_any_other_vkey_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedInput):
        VerifierKey.parse(vkey)


@pytest.mark.parametrize("name", ["", "with space", "with\u2003space", "plus+", "new\nline", "nul\x00"])
def test_a_key_is_not_named_so(name: str) -> None:
    assert not note.is_key_name(name)
    with pytest.raises(MalformedInput):
        VerifierKey(name, SignatureType.ED25519, bytes(32))


def test_text_may_hold_empty_lines_and_any_language() -> None:
    text = "Ognuno sta solo\n\ned è subito sera.\n"
    written = Note(text, (Signature("ключ.example", b"abcd", b"x"), Signature("b", b"efgh", b"y")))
    assert note.parse(str(written)) == written
    assert note.parse(str(written).encode()) == written


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("", "not a signed note"),
        ("text\n", "not a signed note"),
        ("\n\n— a AAAAAAA=\n", "not a signed note"),
        (EXAMPLE[:-1], "not a signed note"),
        (EXAMPLE + "\n", "not a signed note"),
        ("text\n\n", "not a signed note"),
        (EXAMPLE.replace("—", "-"), "em dash"),
        (EXAMPLE.replace("— ", "—"), "em dash"),
        (EXAMPLE.replace("example.com/foo", "a+b"), "em dash"),
        (EXAMPLE.replace(" example.com/foo", ""), "em dash"),
        (EXAMPLE.replace("Uw2Q", "Uw2"), "base64"),
        (EXAMPLE.replace("Uw2Q", "Uw2 Q"), "base64"),
        (EXAMPLE.replace("aQM=", "aQN="), "one form"),
        ("text\n\n— a AAAAAA==\n", "empty"),
        (EXAMPLE.replace("This", "\tThis"), "control"),
        (EXAMPLE.replace("\n", "\r\n"), "control"),
        (EXAMPLE.replace("This", "\ud800"), "UTF-8"),
        (b"\xff" + EXAMPLE.encode(), "UTF-8"),
        ("a" * note.MAX_NOTE + "\n\n— a AAAAAAA=\n", "longer"),
    ],
)
def test_anything_else_is_refused_with_its_reason_and_source(data: str | bytes, says: str) -> None:
    with pytest.raises(MalformedInput, match=f"^log/checkpoint: .*{says}|{says}"):
        note.parse(data, source="log/checkpoint")


def test_sixteen_large_signatures_are_accepted() -> None:
    lines = tuple(Signature(f"witness.example/{number}", b"abcd", bytes(5000)) for number in range(16))
    assert len(note.parse(str(Note("text\n", lines))).signatures) == 16
