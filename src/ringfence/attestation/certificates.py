"""X.509 certificates, chains of them up to a root that is given by its key, and revocation lists.

Source: RFC 5280, narrowed: version 3, no name constraints or mappings, and a critical extension that is not known here
ends a chain. Serial numbers are bytes, because AMD's are 0, which the RFC forbids and a library may refuse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ringfence.attestation import der, signatures
from ringfence.attestation.model import Root
from ringfence.kernel.errors import MalformedInput, VerificationFailed

MAX_CERTIFICATE = 8192
MAX_CRL = 2 * 2**20
MAX_CHAIN = 8
BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE = "2.5.29.19", "2.5.29.15", "2.5.29.37"
ALTERNATIVE_NAME = "2.5.29.17"
_CERT_SIGN = 5
_POLICIES = "2.5.29.32"
_UNDERSTOOD = frozenset({BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, ALTERNATIVE_NAME, _POLICIES})
_MAX_TEXT = 128  # characters of a name: a revocation list may bring one of megabytes into a message
_NAMES = {"2.5.4.3": "CN", "2.5.4.10": "O", "2.5.4.6": "C"}
_TAG_VERSION, _TAG_EXTENSIONS, _TAG_CRL_EXTENSIONS = 0xA0, 0xA3, 0xA0
_VERSION_3, _CRL_VERSION_2 = 2, 1


@dataclass(frozen=True, slots=True)
class Extension:
    """The content of an extension, not taken apart."""

    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, read; nothing is verified."""

    der: bytes
    signed: bytes
    algorithm: bytes  # DER AlgorithmIdentifier
    signature: bytes
    serial: bytes
    issuer: bytes  # DER Name
    subject: bytes  # DER Name
    not_before: datetime
    not_after: datetime
    spki: bytes
    extensions: Mapping[str, Extension]

    @property
    def shown(self) -> str:
        """Return the subject for people."""
        return name_text(self.subject)

    @property
    def common_name(self) -> str:
        """Return the common name of the subject; empty where it has none."""
        return _parts(self.subject).get("CN", "")

    @property
    def is_ca(self) -> bool:
        """Return whether it says that it may issue others."""
        return _constraints(self)[0]


def parse(data: bytes, what: str = "a certificate") -> Certificate:
    """Parse DER; raise `MalformedInput`."""
    if len(data) > MAX_CERTIFICATE:
        raise MalformedInput(f"{what} has {len(data)} bytes; the limit is {MAX_CERTIFICATE}")
    outer = der.only(data, der.SEQUENCE, what).children()
    tbs = outer.next(der.SEQUENCE, what)
    algorithm = outer.next(der.SEQUENCE, f"the algorithm of {what}").whole
    signature = der.bits(outer.next(der.BITS, f"the signature of {what}"), f"the signature of {what}")
    outer.end(what)
    fields = tbs.children()
    version = der.only(fields.next(_TAG_VERSION, f"the version of {what}").content, der.INTEGER, what)
    if der.integer(version, what) != _VERSION_3:
        raise MalformedInput(f"{what} is not of version 3")
    serial = fields.next(der.INTEGER, f"the serial number of {what}").content
    if fields.next(der.SEQUENCE, what).whole != algorithm:
        raise MalformedInput(f"{what} names two algorithms for its signature")
    issuer = fields.next(der.SEQUENCE, f"the issuer of {what}").whole
    validity = fields.next(der.SEQUENCE, f"the validity of {what}").children()
    not_before, not_after = (der.instant(validity.any(what), f"the validity of {what}") for _ in range(2))
    validity.end(what)
    subject = fields.next(der.SEQUENCE, f"the subject of {what}").whole
    spki = fields.next(der.SEQUENCE, f"the key of {what}").whole
    extensions = _extensions(fields.optional(_TAG_EXTENSIONS, what), what)
    fields.end(what)
    return Certificate(
        data, tbs.whole, algorithm, signature, serial, issuer, subject, not_before, not_after, spki, extensions
    )


def _extensions(node: der.Node | None, what: str) -> dict[str, Extension]:
    found: dict[str, Extension] = {}
    for item in der.only(node.content, der.SEQUENCE, what).children().rest(what) if node else ():
        fields = item.expect(der.SEQUENCE, f"an extension of {what}").children()
        name = der.oid(fields.next(der.OID, what), what)
        critical = fields.optional(der.BOOLEAN, what)
        value = fields.next(der.OCTETS, what).content
        fields.end(what)
        if name in found:
            raise MalformedInput(f"{what} has the extension {name} twice")
        found[name] = Extension(critical is not None and der.boolean(critical, what), value)
    return found


def name_text(name: bytes) -> str:
    """Return a DER Name for people: `CN=…, O=…`; parts that are no text are left out."""
    found = _parts(name)
    return ", ".join(f"{label}={found[label]}" for label in _NAMES.values() if label in found)


def _parts(name: bytes) -> dict[str, str]:
    parts: dict[str, str] = {}
    for entry in der.only(name, der.SEQUENCE, "a name").children().rest("a name"):
        for pair in entry.expect(der.SET, "a name").children().rest("a name"):
            fields = pair.children()
            kind = der.oid(fields.next(der.OID, "a name"), "a name")
            value = fields.any("a name")
            if kind in _NAMES and value.tag in der.TEXTS:
                parts[_NAMES[kind]] = der.text(value, "a name")[:_MAX_TEXT]
    return parts


def _constraints(certificate: Certificate) -> tuple[bool, int | None]:
    extension = certificate.extensions.get(BASIC_CONSTRAINTS)
    if extension is None:
        return False, None
    fields = der.only(extension.value, der.SEQUENCE, "basic constraints").children()
    ca = fields.optional(der.BOOLEAN, "basic constraints")
    length = fields.optional(der.INTEGER, "basic constraints")
    fields.end("basic constraints")
    return (
        ca is not None and der.boolean(ca, "basic constraints"),
        None if length is None else der.integer(length, "basic constraints"),
    )


def _may(certificate: Certificate, use: int) -> bool:
    extension = certificate.extensions.get(KEY_USAGE)
    if extension is None:
        return True
    return use in der.flags(der.only(extension.value, der.BITS, "the key usage"), "the key usage")


def chained(leaf: Certificate, between: Sequence[Certificate], roots: Sequence[Root], at: datetime) -> Root:
    """Return the root under which `leaf` stands, over `between` in exactly this order; raise `VerificationFailed`.

    A last certificate that holds a root's key stands for that root. Whatever it says of itself counts for nothing.
    """
    path = [leaf, *between]
    if len(path) > MAX_CHAIN:
        raise VerificationFailed(f"the chain has {len(path)} certificates; the limit is {MAX_CHAIN}")
    ends = {root.spki: root for root in roots}
    if len(path) > 1 and path[-1].spki in ends:
        root_certificate = path.pop()
        _check_issued(path[-1], root_certificate.subject, root_certificate.spki)
        root = ends[root_certificate.spki]
    else:
        root = _signing_root(path[-1], roots)
    for depth, certificate in enumerate(path):
        _check_usable(certificate, at)
        if depth > 0:
            _check_issuer(certificate, depth - 1)
            _check_issued(path[depth - 1], certificate.subject, certificate.spki)
    return root


def _signing_root(last: Certificate, roots: Sequence[Root]) -> Root:
    for root in roots:
        if signatures.is_certified(root.spki, last.algorithm, last.signature, last.signed):
            return root
    raise VerificationFailed(f"{last.shown or 'the last certificate'} is signed by none of the roots that are trusted")


def _check_issued(certificate: Certificate, issuer: bytes, spki: bytes) -> None:
    if certificate.issuer != issuer:
        raise VerificationFailed(
            f"{certificate.shown} was issued by {name_text(certificate.issuer)}, not by {name_text(issuer)}"
        )
    if not signatures.is_certified(spki, certificate.algorithm, certificate.signature, certificate.signed):
        raise VerificationFailed(f"{certificate.shown} is not signed by the key of {name_text(issuer)}")


def _check_usable(certificate: Certificate, at: datetime) -> None:
    if not certificate.not_before <= at <= certificate.not_after:
        raise VerificationFailed(
            f"the certificate of {certificate.shown} is valid from {certificate.not_before:%Y-%m-%d} "
            f"to {certificate.not_after:%Y-%m-%d}, and not at {at:%Y-%m-%d}"
        )
    for name, extension in certificate.extensions.items():
        if extension.critical and name not in _UNDERSTOOD:
            raise VerificationFailed(f"{certificate.shown} has a critical extension {name} that is not known here")


def _check_issuer(certificate: Certificate, below: int) -> None:
    """Check that it may issue, with `below` issuers under it."""
    ca, length = _constraints(certificate)
    if not ca or not _may(certificate, _CERT_SIGN):
        raise VerificationFailed(f"{certificate.shown} may not issue certificates")
    if length is not None and below > length:
        raise VerificationFailed(f"{certificate.shown} may not have {below} issuers below it")


@dataclass(frozen=True, slots=True)
class Revocations:
    """A revocation list, read; nothing is verified."""

    signed: bytes
    algorithm: bytes
    signature: bytes
    issuer: bytes
    this_update: datetime
    next_update: datetime | None
    serials: frozenset[bytes]


def parse_crl(data: bytes, what: str = "a revocation list") -> Revocations:
    """Parse DER; raise `MalformedInput`, also for lists that are partial or speak for other issuers."""
    if len(data) > MAX_CRL:
        raise MalformedInput(f"{what} has {len(data)} bytes; the limit is {MAX_CRL}")
    outer = der.only(data, der.SEQUENCE, what).children()
    tbs = outer.next(der.SEQUENCE, what)
    algorithm = outer.next(der.SEQUENCE, what).whole
    signature = der.bits(outer.next(der.BITS, what), what)
    outer.end(what)
    fields = tbs.children()
    version = fields.optional(der.INTEGER, what)
    if version is not None and der.integer(version, what) != _CRL_VERSION_2:
        raise MalformedInput(f"{what} is not of version 2")
    if fields.next(der.SEQUENCE, what).whole != algorithm:
        raise MalformedInput(f"{what} names two algorithms for its signature")
    issuer = fields.next(der.SEQUENCE, what).whole
    this_update = der.instant(fields.any(what), what)
    following = fields.any(what) if fields.tag in {der.UTC_TIME, der.GENERALIZED_TIME} else None
    revoked = fields.optional(der.SEQUENCE, what)
    extensions = _extensions(fields.optional(_TAG_CRL_EXTENSIONS, what), what)
    fields.end(what)
    if odd := [name for name, extension in extensions.items() if extension.critical]:
        raise MalformedInput(f"{what} has the critical extension {odd[0]}, which is not known here")
    serials = frozenset(
        item.expect(der.SEQUENCE, what).children().next(der.INTEGER, what).content
        for item in (revoked.children().rest(what) if revoked else ())
    )
    next_update = None if following is None else der.instant(following, what)
    return Revocations(tbs.whole, algorithm, signature, issuer, this_update, next_update, serials)


def check_revocations(listed: Revocations, issuer: bytes, spki: bytes, at: datetime) -> None:
    """Raise `VerificationFailed` where the list is not this issuer's, or not in force at `at`."""
    if listed.issuer != issuer:
        raise VerificationFailed(f"the revocation list is of {name_text(listed.issuer)}, not of {name_text(issuer)}")
    if not signatures.is_certified(spki, listed.algorithm, listed.signature, listed.signed):
        raise VerificationFailed(f"the revocation list of {name_text(issuer)} is not signed by its key")
    if listed.next_update is None or not listed.this_update <= at <= listed.next_update:
        until = "nobody knows when" if listed.next_update is None else f"{listed.next_update:%Y-%m-%d}"
        raise VerificationFailed(
            f"the revocation list of {name_text(issuer)} holds from {listed.this_update:%Y-%m-%d} to {until}, "
            f"and not at {at:%Y-%m-%d}"
        )
