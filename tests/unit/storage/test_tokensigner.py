from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ringfence.kernel.errors import MalformedInput, NotFound, Refused, Unavailable
from ringfence.storage.keyfile import KeyFile
from ringfence.storage.signer import Ed25519Signer
from ringfence.storage.tokensigner import TokenKey, TokenSigner, signer_in
from ringfence.testing.tokens import unmade


@pytest.fixture(scope="module")
def pair(software_token):
    return unmade(software_token, "ringfence-pair").made()


def test_what_the_token_signs_any_other_library_verifies(pair):
    for data in (b"", b"data", bytes(100_000)):
        Ed25519PublicKey.from_public_bytes(pair.public_key).verify(pair.sign(data), data)
    pair.check()


def test_the_private_half_does_not_come_out(pair):
    import pkcs11
    from pkcs11.exceptions import PKCS11Error

    with pair.token.opened() as session:
        private = pair.token.only(session, object_class=pkcs11.ObjectClass.PRIVATE_KEY)
        assert private[pkcs11.Attribute.SENSITIVE]
        assert not private[pkcs11.Attribute.EXTRACTABLE]
        with pytest.raises(PKCS11Error):
            private[pkcs11.Attribute.VALUE]


def test_a_pair_that_is_there_is_not_made_again(pair, software_token):
    assert unmade(software_token, "ringfence-pair").made() == pair
    assert unmade(software_token, "ringfence-another").made().public_key != pair.public_key


def test_where_it_lies_is_read_as_it_was_written_and_holds_no_pin(pair, software_token):
    secret = pair.to_secret()
    assert TokenKey.parse(secret) == pair
    assert software_token.pin_file.read_text().strip() not in secret.decode().replace(pair.public_key.hex(), "")
    found = signer_in(KeyFile("file-plain", {"signing.token": secret}), "signing")
    assert isinstance(found, TokenSigner)
    assert isinstance(signer_in(KeyFile("file-plain", {"signing": bytes(32)}), "signing"), Ed25519Signer)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{}",
        b"[]",
        bytes(32),
        b'{"module":"m"}',
        b'{"module":"m","label":"l","pinFile":"p","key":"k","public":"00"}',
    ],
)
def test_anything_else_in_its_place_is_refused(bad):
    with pytest.raises(MalformedInput):
        TokenKey.parse(bad)


def test_with_its_pin_in_memory_the_file_is_not_read_again(software_token, tmp_path):
    pin = tmp_path / "pin"
    pin.write_bytes(software_token.pin_file.read_bytes())
    pin.chmod(0o600)
    made = unmade(replace(software_token, pin_file=pin), "ringfence-ready").made()
    ready = made.ready()
    pin.unlink()
    ready.check()
    assert "5678" not in repr(ready)
    with pytest.raises(NotFound):
        made.check()


def test_another_key_under_the_name_is_found_out(pair):
    with pytest.raises(Refused, match="another one than was enrolled"):
        replace(pair, public_key=bytes(32)).check()


def test_what_is_forgotten_signs_no_more(software_token):
    made = unmade(software_token, "ringfence-brief").made()
    made.forget()
    with pytest.raises(NotFound, match="holds no key"):
        made.sign(b"data")


def test_a_token_that_is_not_there_is_one_sentence(pair):
    gone = replace(pair.token, place=replace(pair.token.place, label="gone"))
    with pytest.raises(Unavailable, match="is it there"):
        replace(pair, token=gone).check()
