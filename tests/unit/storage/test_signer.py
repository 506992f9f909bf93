import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError, MalformedInput
from ringfence.kernel.statement import Subject
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing import keys

STATEMENT = keys.state(keys.ed25519(7), "a.b", {}, Subject("a", Digest.of(b"a"))).statement


def test_it_signs_what_names_its_key():
    signer = Ed25519Signer.from_seed(bytes([7]) * 32)
    assert signer.sign(STATEMENT).verify(signer.public_key) == STATEMENT


def test_it_signs_nothing_that_names_another_key():
    with pytest.raises(InternalError):
        Ed25519Signer.from_seed(bytes([8]) * 32).sign(STATEMENT)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_of_another_size_is_refused(size):
    with pytest.raises(MalformedInput):
        Ed25519Signer.from_seed(bytes(size))


def test_no_seed_is_in_the_repr():
    assert repr(bytes([7]) * 32)[2:20] not in repr(Ed25519Signer.from_seed(bytes([7]) * 32))
