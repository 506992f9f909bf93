"""RFC 3161 time stamps over published checkpoints: ask, and check what came back. Format: docs/specs/timestamp.md.

The signature and the chain are OpenSSL's to verify, through rfc3161-client; it is imported when a token is looked at.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger.anchors.certified import check_certified
from ringfence.ledger.model import Stamped, TimestampAuthority

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse
    from rfc3161_client.tsp import TimeStampTokenInfo

MAX_TOKEN = 64 * 2**10  # a token with its chain has 1 to 8 KB
MAX_CERTIFICATE = 16 * 2**10
MAX_AUTHORITIES = 16
SHA256 = "2.16.840.1.101.3.4.2.1"
_SHA256_DER = bytes.fromhex("300d06096086480165030402010500")  # AlgorithmIdentifier of SHA-256
_GRANTED = bytes.fromhex("3003020100")  # PKIStatusInfo { status granted(0) }
_SEQUENCE, _OCTETS, _INTEGER = 0x30, 0x04, 0x02
_TRUE = bytes.fromhex("0101ff")
_VERSION = bytes.fromhex("020101")


def request(published: bytes, nonce: int) -> bytes:
    """Return the request for a stamp over a published note, in DER, asking for the certificate too."""
    imprint = _der(_SEQUENCE, _SHA256_DER + _der(_OCTETS, sha256(published).digest()))
    number = _der(_INTEGER, nonce.to_bytes(nonce.bit_length() // 8 + 1, "big"))
    return _der(_SEQUENCE, _VERSION + imprint + number + _TRUE)


def token_of(answer: bytes, nonce: int) -> bytes:
    """Return the token in an authority's answer to the request with `nonce`; the token itself is not verified.

    Raises:
        MalformedInput: it is not an answer of RFC 3161.
        VerificationFailed: the authority refused, or answered another request.
    """
    response = _parsed(answer)
    if response.status != 0:
        raise VerificationFailed(f"the time-stamping authority refused (status {response.status})")
    if response.tst_info.nonce != nonce:
        raise VerificationFailed("the time stamp answers another request: its nonce is not the one that was sent")
    token = response.time_stamp_token()
    if len(token) > MAX_TOKEN:
        raise MalformedInput(f"a time-stamp token has at most {MAX_TOKEN} bytes")
    return token


def verify_timestamp(token: bytes, published: bytes, authorities: Iterable[TimestampAuthority]) -> Stamped | None:
    """Return who stamped a published note, and by when; None where no authority that the reader knows did.

    The certificate has to be for time-stamping, to lead to the authority's, and to be valid at the time of the stamp.

    Raises:
        MalformedInput: it is not a time-stamp token.
        VerificationFailed: it is over something else, or claims to be by a known authority and is not.
    """
    response, known = _parsed(_der(_SEQUENCE, _GRANTED + token)), tuple(authorities)
    with _read_strictly():
        stamp, issuers = response.tst_info, {each.issuer for each in response.signed_data.signer_infos}
        imprint, at = stamp.message_imprint, stamp.gen_time.astimezone(UTC) + _inexact(stamp)
        asked = imprint.hash_algorithm.dotted_string == SHA256 and imprint.message == sha256(published).digest()
    if not asked:
        raise VerificationFailed("the time stamp is over something else than this checkpoint")
    for authority in known:
        name = _signer(response, published, _certificate(authority.certificate))
        if name is not None:
            return Stamped(name, authority.party, at)
    if issuers & {_certificate(authority.certificate).subject for authority in known}:
        raise VerificationFailed("the time stamp claims to be by an authority that is known, and does not verify")
    return None


def _inexact(stamp: "TimeStampTokenInfo") -> timedelta:
    """Return by how much the authority's clock may have been behind, as it says itself."""
    told = stamp.accuracy
    if told is None:
        return timedelta()
    return timedelta(seconds=told.seconds or 0, milliseconds=told.millis or 0, microseconds=told.micros or 0)


def policy_of(token: bytes) -> str:
    """Return the policy, a dotted OID, under which an authority made a token."""
    return str(_parsed(_der(_SEQUENCE, _GRANTED + token)).tst_info.policy.dotted_string)


def parse_certificate(data: bytes) -> bytes:
    """Return the DER form of the certificate, PEM or DER, by which an authority is to be known.

    Raises:
        MalformedInput: it is not one, or it is not self-signed: then nothing would lead to it.
    """
    from cryptography import x509

    if len(data) > MAX_CERTIFICATE:
        raise MalformedInput(f"a certificate has at most {MAX_CERTIFICATE} bytes")
    try:
        found = x509.load_pem_x509_certificate(data) if data.lstrip()[:5] == b"-----" else _certificate(data)
    except ValueError as error:
        raise MalformedInput(f"not a certificate: {error}") from error
    if found.subject != found.issuer:
        raise MalformedInput("the certificate is issued by another; give the one at the root of its chain")
    from cryptography.hazmat.primitives.serialization import Encoding

    return found.public_bytes(Encoding.DER)


def subject_of(certificate: bytes) -> str:
    """Return the subject of a certificate in DER, for people."""
    return str(_certificate(certificate).subject.rfc4514_string())


def _signer(response: "TimeStampResponse", published: bytes, root: "Certificate") -> str | None:
    from cryptography.hazmat.primitives.serialization import Encoding
    from rfc3161_client import VerificationError, VerifierBuilder

    with _read_strictly():
        embedded = list(response.signed_data.certificates)
        checks = VerifierBuilder(roots=[root], tsa_certificate=None if embedded else root).build()
        try:
            checks.verify_message(response, published)
        except VerificationError:
            return None
        signer = next(iter(response.signed_data.signer_infos))
        named = [
            certificate
            for certificate in map(_certificate, embedded)
            if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number)
        ] or [root]
    check_certified(response.time_stamp_token(), (each.public_bytes(Encoding.DER) for each in named))
    return str(named[0].subject.rfc4514_string())


@contextmanager
def _read_strictly() -> Iterator[None]:
    """Turn whatever the parser below trips over into our refusal: it reads on demand, and raises as it likes."""
    try:
        yield
    except MalformedInput:
        raise
    except Exception as error:
        raise MalformedInput("not a time stamp of RFC 3161") from error


def _certificate(data: bytes) -> "Certificate":
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(data)
    except ValueError as error:
        raise MalformedInput(f"not a certificate: {error}") from error


def _parsed(answer: bytes) -> "TimeStampResponse":
    from rfc3161_client import decode_timestamp_response

    if len(answer) > MAX_TOKEN + 64:
        raise MalformedInput(f"a time-stamp token has at most {MAX_TOKEN} bytes")
    with _read_strictly():
        response = decode_timestamp_response(answer)
        _ = response.tst_info if response.status == 0 else None  # parsed on demand: refuse here what does not parse
        return response


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content
