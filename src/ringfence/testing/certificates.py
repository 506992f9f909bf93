"""Certificates made for a test: a root, authorities below it, and signers of models with all that can be wrong."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ringfence.artifacts.models.certificates import to_der

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=365 * 50)  # an authority in a test stamps by the machine's clock
SIGNS: dict[str, bool] = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


def usage(*allowed: str) -> x509.KeyUsage:
    """Return a key usage that allows these alone."""
    return x509.KeyUsage(**(SIGNS | dict.fromkeys(allowed, True)))


def new_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """Return a new private key, on P-256 unless another curve is asked for."""
    return ec.generate_private_key(curve or ec.SECP256R1())


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def der(self) -> bytes:
        """Return the certificate as bundles hold it."""
        return to_der(self.certificate)


def issue(
    name: str,
    by: Issued | None = None,
    *,
    key: ec.EllipticCurvePrivateKey | None = None,
    ca: bool = False,
    length: int | None = None,
    start: datetime = START,
    end: datetime = END,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] | None = None,
    algorithm: Any = None,
) -> Issued:
    """Issue a certificate: an authority's, or one for signing; `extensions` replaces those that belong to its kind."""
    own = key or new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    usual: tuple[tuple[x509.ExtensionType, bool], ...] = (
        ((x509.BasicConstraints(ca=True, path_length=length), True), (usage("key_cert_sign"), True))
        if ca
        else (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (usage("digital_signature"), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False),
        )
    )
    for extension, critical in usual if extensions is None else extensions:
        made = made.add_extension(extension, critical=critical)
    return Issued(made.sign(by.key if by else own, algorithm or hashes.SHA256()), own)
