"""Chains of certificates under model signatures: from a signer's to a root that the reader names; pure.

Nothing is fetched and no revocation is looked up: whoever learns of one stops naming that root, or the signer's
subject. A certificate that has ended still counts for a signature that a time-stamping authority saw while it held.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from ringfence.artifacts.models.keys import CURVES, PublicKey, public_key
from ringfence.kernel.errors import MalformedInput, UsageError, VerificationFailed

MAX_CHAIN = 8
MAX_CERTIFICATE = 16 * 2**10
MAX_TOKEN = 64 * 2**10
MAX_LINKS = 64  # signatures that are tried while a way to a root is looked for
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_MIN_RSA = 2048
_READ = frozenset(  # extensions whose meaning is taken into account, or which take nothing away
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    }
)
_TAKES_AWAY = frozenset({ExtensionOID.NAME_CONSTRAINTS})  # not read, hence refused, also where it is not critical
_SIGNERS = frozenset({ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})


@dataclass(frozen=True, slots=True)
class Authorities:
    """Whom a reader believes about certificates: roots, and those who stamp times."""

    roots: Sequence[x509.Certificate]
    at: datetime  # the time of the reader's clock
    subject: str = ""  # RFC 4514; empty takes anybody whom a root vouches for
    # Authorities for time stamps: for each the very certificate that signs its tokens, then what leads to its root.
    stampers: Sequence[Sequence[x509.Certificate]] = field(default=())


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time by which an authority had seen a signature."""

    at: datetime
    by: str  # the subject of the certificate that signed the token


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who signed, as the chain says, and at which time it was judged."""

    key: PublicKey
    subject: str
    at: datetime
    stamped: Stamp | None


def parse_certificates(data: bytes, *, source: str = "") -> list[x509.Certificate]:
    """Parse certificates in PEM, one behind the other."""
    if len(data) > MAX_CHAIN * MAX_CERTIFICATE:
        raise MalformedInput(f"that is more than {MAX_CHAIN} certificates have", source=source)
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise MalformedInput("not certificates in PEM", source=source) from error


def to_der(certificate: x509.Certificate) -> bytes:
    """Return a certificate as bundles hold it."""
    return certificate.public_bytes(serialization.Encoding.DER)


def check_own(chain: Sequence[x509.Certificate], key: PublicKey) -> None:
    """Raise `UsageError` where the first certificate is not of the key that signs with it."""
    if not 1 <= len(chain) <= MAX_CHAIN:
        raise UsageError(f"a chain has 1 to {MAX_CHAIN} certificates, the signer's own first")
    if signer_key(chain[0]).pem != key.pem:
        raise UsageError("the first certificate is not of the key that signs: put the signer's own first")


def signer_key(certificate: x509.Certificate) -> PublicKey:
    """Return the key of a signer's certificate; raise `VerificationFailed` where models are not signed by its kind."""
    with _strictly():
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
            raise VerificationFailed("the signer's certificate is not of a key on P-256, P-384 or P-521")
        return public_key(key)


def vouched(
    chain: Sequence[bytes], trust: Authorities, *, signature: bytes = b"", tokens: Sequence[bytes] = ()
) -> Vouched:
    """Return who signed, judged at the time that a known authority stamped, or else at the reader's.

    Args:
        chain: DER, the signer's own first, the others in any order.
        trust: whom the reader believes.
        signature: the bytes that tokens are over.
        tokens: RFC 3161 time-stamp tokens of the bundle.

    Raises:
        MalformedInput: these are no certificates, or no token.
        VerificationFailed: no way leads from the signer to a root, at that time and for this use.
    """
    signer, *others = _parsed(chain)
    stamped = earliest(signature, tokens, trust.stampers)
    at = stamped.at if stamped else trust.at
    with _strictly():
        _check_signer(signer, at)
        if not _leads(signer, others, tuple(trust.roots), at):
            raise VerificationFailed(
                "no way leads from the signer's certificate to a root that is trusted here, at the time of the"
                f" {'stamp' if stamped else 'check'} ({at:%Y-%m-%d})"
            )
        subject = signer.subject.rfc4514_string()
    if trust.subject not in {"", subject}:
        raise VerificationFailed(f"the model is signed by {subject[:200]!r}, not by {trust.subject[:200]!r}")
    return Vouched(signer_key(signer), subject, at, stamped)


def _parsed(chain: Sequence[bytes]) -> list[x509.Certificate]:
    if not 1 <= len(chain) <= MAX_CHAIN or any(len(one) > MAX_CERTIFICATE for one in chain):
        raise MalformedInput(f"a bundle holds 1 to {MAX_CHAIN} certificates of at most {MAX_CERTIFICATE} bytes")
    try:
        return [x509.load_der_x509_certificate(one) for one in chain]
    except ValueError as error:
        raise MalformedInput("a certificate in the bundle is none") from error


def _check_signer(certificate: x509.Certificate, at: datetime) -> None:
    _check_life(certificate, at)
    extensions = _extensions(certificate)
    usage, purposes = extensions.get(ExtensionOID.KEY_USAGE), extensions.get(ExtensionOID.EXTENDED_KEY_USAGE)
    signs = isinstance(usage, x509.KeyUsage) and usage.digital_signature
    codes = isinstance(purposes, x509.ExtendedKeyUsage) and ExtendedKeyUsageOID.CODE_SIGNING in purposes
    if (usage is not None and not signs) or (purposes is not None and not codes) or not (signs or codes):
        raise VerificationFailed("the signer's certificate is not for signatures (key usage, code signing)")


def _leads(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: tuple[x509.Certificate, ...],
    at: datetime,
) -> bool:
    """Tell whether issuers lead to a root, whose bytes are those that the reader has."""
    tried = 0
    ways: list[tuple[x509.Certificate, tuple[x509.Certificate, ...]]] = [(certificate, ())]
    while ways:
        last, before = ways.pop()
        if last in roots:
            return True
        for issuer in (*roots, *others):
            if issuer == last or issuer in before or len(before) == MAX_CHAIN or issuer.subject != last.issuer:
                continue
            tried += 1
            if tried > MAX_LINKS:
                raise VerificationFailed("the certificates of the bundle lead in too many ways")
            if _issued(last, issuer, len(before), at):
                ways.append((issuer, (*before, last)))
    return False


def _issued(certificate: x509.Certificate, issuer: x509.Certificate, below: int, at: datetime) -> bool:
    """Tell whether an authority issued a certificate, with `below` authorities between it and the signer."""
    try:
        _check_life(issuer, at)
        _check_strength(certificate, issuer)
        certificate.verify_directly_issued_by(issuer)
        extensions = _extensions(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError, VerificationFailed):
        return False
    purposes = extensions.get(ExtensionOID.EXTENDED_KEY_USAGE)
    if isinstance(purposes, x509.ExtendedKeyUsage) and not _SIGNERS.intersection(purposes):
        return False  # an authority for servers, say, makes no signers
    constraints, usage = extensions.get(ExtensionOID.BASIC_CONSTRAINTS), extensions.get(ExtensionOID.KEY_USAGE)
    if not isinstance(constraints, x509.BasicConstraints) or not constraints.ca:
        return False
    if constraints.path_length is not None and below > constraints.path_length:
        return False
    return usage is None or (isinstance(usage, x509.KeyUsage) and usage.key_cert_sign)


def _check_life(certificate: x509.Certificate, at: datetime) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise VerificationFailed(
            f"a certificate holds from {certificate.not_valid_before_utc:%Y-%m-%d} to"
            f" {certificate.not_valid_after_utc:%Y-%m-%d}, and not on {at:%Y-%m-%d}"
        )


def _check_strength(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    used, key = certificate.signature_hash_algorithm, issuer.public_key()
    if used is not None and not isinstance(used, _HASHES):
        raise VerificationFailed(f"a certificate is signed by {used.name}")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _MIN_RSA:
        raise VerificationFailed(f"an authority's key has {key.key_size} bits")


def _extensions(certificate: x509.Certificate) -> dict[x509.ObjectIdentifier, x509.ExtensionType]:
    for extension in certificate.extensions:
        if extension.oid in _TAKES_AWAY or (extension.critical and extension.oid not in _READ):
            kind = "critical " if extension.critical else ""
            raise VerificationFailed(f"a certificate has the {kind}extension {extension.oid.dotted_string}")
    return {extension.oid: extension.value for extension in certificate.extensions}


def earliest(signature: bytes, tokens: Sequence[bytes], stampers: Sequence[Sequence[x509.Certificate]]) -> Stamp | None:
    """Return the earliest time that a named authority stamped over the signature; None where none did."""
    if len(tokens) > MAX_CHAIN or any(len(one) > MAX_TOKEN for one in tokens):
        raise MalformedInput(f"a bundle holds at most {MAX_CHAIN} time stamps of {MAX_TOKEN} bytes")
    found = [
        Stamp(at, one[0].subject.rfc4514_string())
        for token in tokens
        for one in stampers
        if (at := _time(signature, token, one))
    ]
    return min(found, key=lambda stamp: stamp.at, default=None)


def _time(signature: bytes, token: bytes, stamper: Sequence[x509.Certificate]) -> datetime | None:
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    with _strictly():
        response = decode_timestamp_response(token)
        checks = VerifierBuilder(
            tsa_certificate=stamper[0], intermediates=list(stamper[1:-1]), roots=[stamper[-1]]
        ).build()
        try:
            checks.verify_message(response, signature)
        except VerificationError:
            return None
        at = response.tst_info.gen_time
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at if all(one.not_valid_before_utc <= at <= one.not_valid_after_utc for one in stamper) else None


@contextmanager
def _strictly() -> Iterator[None]:
    """Turn whatever a parser trips over into our refusal: certificates and tokens are read on demand."""
    try:
        yield
    except (MalformedInput, VerificationFailed):
        raise
    except Exception as error:
        raise MalformedInput(f"a certificate or time stamp in the bundle cannot be read: {str(error)[:200]}") from error
