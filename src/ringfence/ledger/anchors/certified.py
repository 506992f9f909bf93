"""Which certificate a time stamp was signed under, as its signer says inside what is signed (RFC 5035, RFC 5816). Pure.

The name and number by which a token otherwise finds its signer's certificate are not unique for whoever can have
certificates issued: another one for the same key, with another purpose, life or holder, would do as well.
"""

import hashlib
from collections.abc import Iterable, Iterator

from ringfence.kernel.errors import MalformedInput, VerificationFailed

_SEQUENCE, _SET, _OCTETS, _OID, _FIRST = 0x30, 0x31, 0x04, 0x06, 0xA0  # the last: [0], constructed
_VERSION_1 = bytes.fromhex("2a864886f70d010910020c")  # signingCertificate: SHA-1
_VERSION_2 = bytes.fromhex("2a864886f70d010910022f")  # signingCertificateV2: SHA-256, or what it names
_HASHES = {
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
Element = tuple[int, bytes]  # tag and content


def check_certified(token: bytes, certificates: Iterable[bytes]) -> None:
    """Return where the signer of a token named these very certificates, DER, as its own.

    To be asked once the signature is verified: what is read here is covered by it.

    Raises:
        MalformedInput: it is no token, or its signer names no certificate.
        VerificationFailed: it names another one.
    """
    named = _named(token)
    if not named:
        raise MalformedInput("the time stamp does not say under which certificate it was signed")
    for certificate in certificates:
        for algorithm, digest in named:
            if hashlib.new(algorithm, certificate, usedforsecurity=False).digest() != digest:
                raise VerificationFailed("the time stamp was signed under another certificate than the one in it")


def _named(token: bytes) -> list[tuple[str, bytes]]:
    """Return the digest of the first certificate of each such attribute: the signer's own."""
    found = []
    for attribute in _signed_attributes(token):
        (_, kind), (_, values) = _pair(attribute)
        if kind in {_VERSION_1, _VERSION_2}:
            found.append(_first(values, version_2=kind == _VERSION_2))
    return found


def _signed_attributes(token: bytes) -> Iterator[bytes]:
    _, (_, wrapped) = _pair(_only(token, _SEQUENCE))
    *_, (tag, signers) = _elements(_only(wrapped, _SEQUENCE))
    if tag != _SET:
        raise MalformedInput("a time stamp has one signer")
    fields = list(_elements(_only(signers, _SEQUENCE)))
    attributes = [content for tag, content in fields[3:4] if tag == _FIRST]
    return (content for each in attributes for _, content in _elements(each))


def _first(values: bytes, *, version_2: bool) -> tuple[str, bytes]:
    (_, listed), *_ = _elements(_only(values, _SEQUENCE))
    (_, one), *_ = _elements(listed)
    (tag, content), *rest = _elements(one)
    if tag == _OCTETS:
        return ("sha256" if version_2 else "sha1"), content
    (_, kind), *_ = _elements(content)
    if not version_2 or kind not in _HASHES or not rest:
        raise MalformedInput("the time stamp names its certificate by a hash that is not known")
    return _HASHES[kind], rest[0][1]


def _only(data: bytes, tag: int) -> bytes:
    found = list(_elements(data))
    if len(found) != 1 or found[0][0] != tag:
        raise MalformedInput("not a time stamp of RFC 3161")
    return found[0][1]


def _pair(data: bytes) -> tuple[Element, Element]:
    found = list(_elements(data))
    if len(found) != 2 or found[0][0] != _OID:
        raise MalformedInput("not a time stamp of RFC 3161")
    return found[0], found[1]


def _elements(data: bytes) -> Iterator[Element]:
    """Yield the elements of DER that the signature covers or the parser of the token has accepted."""
    at = 0
    while at < len(data):
        size, start = data[at + 1 : at + 2], at + 2
        length = size[0] if size else len(data)
        if length & 0x80:
            digits = length & 0x7F
            length, start = int.from_bytes(data[start : start + digits]), start + digits
        if start + length > len(data):
            raise MalformedInput("not a time stamp of RFC 3161")
        yield data[at], data[start : start + length]
        at = start + length
