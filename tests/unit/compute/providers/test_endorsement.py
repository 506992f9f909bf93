"""Certificates of software TPMs: for exactly the key that was made, by an issuer that says what it is."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ringfence.attestation import tpm_structures
from ringfence.compute.providers.endorsement import NAME, Issuer
from ringfence.compute.providers.tpm2 import EK_TEMPLATE, sized
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.clock import FakeClock

MODULUS = (1 << 2047 | 12345 | 1).to_bytes(256, "big")
PUBLIC = sized(EK_TEMPLATE[:-256] + MODULUS)


@pytest.fixture
def issuer(tmp_path):
    return Issuer(tmp_path / "keys" / "ek_ca", FakeClock())


def test_it_certifies_the_key_that_it_is_given(issuer):
    found = x509.load_der_x509_certificate(issuer.certify(PUBLIC, "n-00000001"))
    key = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert key == tpm_structures.parse_public(PUBLIC).spki
    assert "software TPM" in found.subject.rfc4514_string()
    assert "software" in NAME


def test_the_root_is_one_key_that_stays_and_is_closed_to_others(issuer):
    assert issuer.root() == issuer.root()
    assert issuer.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("spoilt", [b"", PUBLIC[:-1], sized(EK_TEMPLATE[2:]), b"\0\0\0\x23" + PUBLIC[4:]])
def test_another_kind_of_key_is_refused(issuer, spoilt):
    with pytest.raises(MalformedInput):
        issuer.certify(spoilt, "n-00000001")
