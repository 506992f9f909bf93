"""The issuer of certificates for the endorsement keys of software TPMs that run here.

A maker of hardware vouches that a key lies in a chip. This issuer says only that this host made a program's key, and
its certificates say so in their subject. Whoever expects evidence names its root as one of software: `lab-attested`.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import InternalError, MalformedInput, UsageError
from ringfence.storage.files import PRIVATE, explained, read_private, write_whole

NAME = "Ringfence software TPMs of one host, without any hardware"
PLACE = ("keys", "ek_ca")  # below the home
YEARS = timedelta(days=3650)
EARLY = timedelta(minutes=5)
EK_USE = ObjectIdentifier("2.23.133.8.1")  # tcg-kp-EKCertificate
_RSA_2048 = 2048 // 8


@dataclass(frozen=True, slots=True)
class Issuer:
    """A P-256 key in a file that only we read, made at first use; it certifies keys of software TPMs alone."""

    path: Path
    clock: Clock

    @staticmethod
    def of(home: Path, clock: Clock) -> "Issuer":
        """Return the issuer of an installation."""
        return Issuer(home.joinpath(*PLACE), clock)

    def certify(self, public: bytes, node: str) -> bytes:
        """Return a certificate (DER) for an endorsement key, given as TPM2B_PUBLIC of the RSA-2048 template."""
        key = _key(self.path)
        now = self.clock.now().replace(microsecond=0)
        serial = int.from_bytes(hashlib.sha256(public).digest()[:19], "big") or 1
        built = (
            x509.CertificateBuilder()
            .subject_name(_name(f"software TPM of {node}"))
            .issuer_name(_name(NAME))
            .public_key(_rsa(public))
            .serial_number(serial)
            .not_valid_before(now - EARLY)
            .not_valid_after(now + YEARS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([EK_USE]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
            .sign(key, SHA256())
        )
        return built.public_bytes(Encoding.DER)

    def root(self) -> bytes:
        """Return the issuer's public key, as DER SubjectPublicKeyInfo: roots are known by their key."""
        return _public(self.path)


def root(home: Path) -> bytes:
    """Return the public key of an installation's issuer; it is made where nobody has needed it yet."""
    return _public(home.joinpath(*PLACE))


def _public(path: Path) -> bytes:
    return _key(path).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        with explained(path, "write"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with suppress(UsageError):  # somebody was faster: theirs counts
            write_whole(path, pem, mode=PRIVATE, replace=False)
    key = load_pem_private_key(read_private(path), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise InternalError(f"{path.name} holds another kind of key than P-256")
    return key


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _rsa(public: bytes) -> rsa.RSAPublicKey:
    """Return the key in a TPM2B_PUBLIC; of the one template, the modulus is the end."""
    modulus = public[-_RSA_2048:]
    if public[2:4] != b"\x00\x01" or public[-_RSA_2048 - 2 : -_RSA_2048] != _RSA_2048.to_bytes(2, "big"):
        raise MalformedInput("the endorsement key is not one of RSA-2048")
    return rsa.RSAPublicNumbers(65537, int.from_bytes(modulus, "big")).public_key()
