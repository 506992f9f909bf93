import secrets

import pytest

from ringfence.attestation import credential, tpm_structures
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.testing.attestation import SoftTpm

TPM = SoftTpm()
ENDORSEMENT = tpm_structures.parse_public(TPM.ek)
SECRET = b"s" * 32


def test_the_tpm_gives_the_secret_back():
    made = credential.make(ENDORSEMENT, TPM.name, SECRET, secrets.token_bytes)
    assert TPM.activate(made) == SECRET
    assert SECRET not in made.blob + made.secret


def test_another_tpm_or_another_key_beside_does_not():
    made = credential.make(ENDORSEMENT, TPM.name, SECRET, secrets.token_bytes)
    with pytest.raises(VerificationFailed):
        SoftTpm(seed=8).activate(made)
    unrestricted = SoftTpm(attributes=0x00040072)  # the same keys, but the key beside it may sign anything
    with pytest.raises(VerificationFailed):
        unrestricted.activate(made)


def test_every_credential_is_new():
    once, again = (credential.make(ENDORSEMENT, TPM.name, SECRET, secrets.token_bytes) for _ in range(2))
    assert once.blob != again.blob
    assert once.secret != again.secret


@pytest.mark.parametrize("secret", [b"", b"s" * 33])
def test_the_secret_has_a_size(secret):
    with pytest.raises(MalformedInput, match="secret"):
        credential.make(ENDORSEMENT, TPM.name, secret, secrets.token_bytes)


def test_nothing_is_encrypted_to_a_key_that_is_no_endorsement_key():
    with pytest.raises(MalformedInput, match="no endorsement key"):
        credential.make(tpm_structures.parse_public(TPM.ak), TPM.name, SECRET, secrets.token_bytes)


def test_derived_keys_have_the_size_that_was_asked_for():
    assert len(credential.kdfa(0x000B, b"k" * 32, b"L", b"a", b"b", 128)) == 16
    assert len(credential.kdfa(0x000B, b"k" * 32, b"L", b"a", b"b", 384)) == 48
    assert credential.kdfe(0x000B, b"z", b"L", b"a", b"b", 256) != credential.kdfe(0x000B, b"z", b"L", b"b", b"a", 256)
