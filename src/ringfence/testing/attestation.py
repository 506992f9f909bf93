"""Evidence made by programs for tests: a TPM in Python, an authority that certifies it, logs and lists.

None of it is hardware, and no root of it may be called so outside a test.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from ringfence.attestation import boot, credential, event_log, ima, tpm_structures
from ringfence.attestation.model import (
    RELEASE,
    Bound,
    Claim,
    Expected,
    Family,
    Root,
    TpmEvidence,
    TpmValues,
    Values,
)
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import VerificationFailed

AT = datetime(2026, 11, 23, tzinfo=UTC)
QUOTED = frozenset({*range(11), 14})
_AK_ATTRIBUTES, _EK_ATTRIBUTES = 0x00050072, 0x000300B2
_ENDORSEMENT = (0x4000000B).to_bytes(4)
_SIZE = 32

PrivateKey = ec.EllipticCurvePrivateKey
Extensions = Mapping[str, bytes]


def private_key(seed: int, curve: ec.EllipticCurve | None = None) -> PrivateKey:
    """Return the same key for the same number."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(f"test key {seed}".encode()).digest()), curve or P256)


P256 = ec.SECP256R1()


def spki(key: PrivateKey) -> bytes:
    """Return the public half as SubjectPublicKeyInfo."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


@dataclass(frozen=True)
class Authority:
    """A certificate authority of a test: a root, or below one."""

    name: str
    key: PrivateKey
    certificate: bytes  # DER

    @classmethod
    def root(cls, name: str = "Test Root", seed: int = 1, curve: ec.EllipticCurve | None = None) -> "Authority":
        """Make a root."""
        key = private_key(seed, curve)
        return cls(name, key, issue(name, key, name, key, is_ca=True))

    def below(self, name: str, seed: int, path_length: int | None = None) -> "Authority":
        """Make an issuer below this one."""
        key = private_key(seed, self.key.curve)
        return Authority(name, key, issue(self.name, self.key, name, key, is_ca=True, path_length=path_length))

    def certify(self, name: str, key: ec.EllipticCurvePublicKey | PrivateKey, **given: object) -> bytes:
        """Certify a key; the arguments are those of `issue`."""
        return issue(self.name, self.key, name, key, **given)  # type: ignore[arg-type]

    def trusted(self, *, software: bool = True) -> Root:
        """Return it as a root that is trusted."""
        return Root(spki(self.key), self.name, software=software)

    def revoking(self, *certificates: bytes, until: timedelta = timedelta(days=30)) -> bytes:
        """Return a revocation list over these certificates."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(_named(self.name))
        builder = builder.last_update(AT - timedelta(days=1)).next_update(AT + until)
        for data in certificates:
            serial = x509.load_der_x509_certificate(data).serial_number
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(AT - timedelta(days=2))
            builder = builder.add_revoked_certificate(revoked.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def issue(
    issuer: str,
    by: PrivateKey,
    name: str,
    key: ec.EllipticCurvePublicKey | PrivateKey,
    *,
    is_ca: bool = False,
    path_length: int | None = None,
    extensions: Extensions | None = None,
    critical: Extensions | None = None,
    use: str = "",
    days: int = 3650,
) -> bytes:
    """Return a certificate in DER, valid around `AT`."""
    public = key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key
    builder = x509.CertificateBuilder().issuer_name(_named(issuer)).subject_name(_named(name)).public_key(public)
    builder = builder.serial_number(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) | 1)
    builder = builder.not_valid_before(AT - timedelta(days=365)).not_valid_after(AT + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=path_length), critical=True)
    if use:
        uses = x509.ExtendedKeyUsage([ObjectIdentifier(use)])
        builder = builder.add_extension(uses, critical=False)
    for number, value in (extensions or {}).items():
        builder = builder.add_extension(x509.UnrecognizedExtension(ObjectIdentifier(number), value), critical=False)
    for number, value in (critical or {}).items():
        builder = builder.add_extension(x509.UnrecognizedExtension(ObjectIdentifier(number), value), critical=True)
    return builder.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


ENDORSEMENT_USE = "2.23.133.8.1"
SERVER_USE = ExtendedKeyUsageOID.SERVER_AUTH.dotted_string


def sized(data: bytes) -> bytes:
    """Return a TPM2B."""
    return len(data).to_bytes(2) + data


def _area(key: PrivateKey, attributes: int, symmetric: bytes, scheme: bytes) -> bytes:
    numbers = key.public_key().public_numbers()
    point = sized(numbers.x.to_bytes(_SIZE)) + sized(numbers.y.to_bytes(_SIZE))
    head = bytes.fromhex("0023000b") + attributes.to_bytes(4) + sized(b"")
    return sized(head + symmetric + scheme + bytes.fromhex("00030010") + point)


@dataclass
class SoftTpm:
    """A TPM of a test: one endorsement key, one attestation key below it, one bank of PCRs."""

    seed: int = 7
    attributes: int = _AK_ATTRIBUTES
    firmware: int = 0x0001000200030004
    pcrs: dict[int, bytes] = field(default_factory=lambda: {number: bytes(_SIZE) for number in range(24)})

    def __post_init__(self) -> None:
        self.ek_key, self.ak_key = private_key(self.seed), private_key(self.seed + 1000)
        self.ek = _area(self.ek_key, _EK_ATTRIBUTES, bytes.fromhex("000600800043"), bytes.fromhex("0010"))
        self.ak = _area(self.ak_key, self.attributes, bytes.fromhex("0010"), bytes.fromhex("0018000b"))

    @property
    def name(self) -> bytes:
        """Return the Name of the attestation key."""
        return tpm_structures.parse_public(self.ak).name

    def extend(self, number: int, digest: bytes) -> None:
        """Extend a PCR."""
        self.pcrs[number] = event_log.extended(self.pcrs[number], digest)

    def boots(self, events: Sequence[event_log.Event]) -> bytes:
        """Measure events as firmware does, and return their log."""
        for event in events:
            if event.kind != event_log.NO_ACTION:
                self.extend(event.pcr, event.digest)
        return written(events)

    def attest(self, extra: bytes, selected: frozenset[int] = QUOTED, *, bank: int = 0x000B) -> bytes:
        """Return a TPMS_ATTEST over the PCRs as they are."""
        parent = tpm_structures.qualified(_ENDORSEMENT, tpm_structures.parse_public(self.ek))
        signer = tpm_structures.qualified(parent, tpm_structures.parse_public(self.ak))
        bits = sum(1 << number for number in selected).to_bytes(3, "little")
        digest = hashlib.sha256(b"".join(self.pcrs[number] for number in sorted(selected))).digest()
        clock = (123456).to_bytes(8) + (2).to_bytes(4) + (1).to_bytes(4) + b"\x01"
        selection = (1).to_bytes(4) + bank.to_bytes(2) + b"\x03" + bits
        head = bytes.fromhex("ff5443478018") + sized(signer) + sized(extra) + clock
        return head + self.firmware.to_bytes(8) + selection + sized(digest)

    def sign(self, data: bytes) -> bytes:
        """Return a TPMT_SIGNATURE by the attestation key."""
        r, s = decode_dss_signature(self.ak_key.sign(data, ec.ECDSA(hashes.SHA256())))
        return bytes.fromhex("0018000b") + sized(r.to_bytes(_SIZE)) + sized(s.to_bytes(_SIZE))

    def evidence(
        self,
        bound: Bound,
        *,
        certificate: bytes | None = None,
        log: bytes | None = None,
        files: bytes | None = None,
        selected: frozenset[int] = QUOTED,
    ) -> TpmEvidence:
        """Return evidence for a challenge."""
        quote = self.attest(bound.digest, selected)
        values = {number: self.pcrs[number] for number in selected}
        return TpmEvidence(self.ak, self.ek, certificate, quote, self.sign(quote), values, log, files)

    def activate(self, given: credential.Credential) -> bytes:
        """Return the secret of a credential, as TPM2_ActivateCredential does, or raise `VerificationFailed`."""
        size = _SIZE
        x, y = given.secret[4 : 4 + size], given.secret[6 + size : 6 + 2 * size]
        point = ec.EllipticCurvePublicKey.from_encoded_point(P256, b"\x04" + x + y)
        shared = self.ek_key.exchange(ec.ECDH(), point)
        mine = self.ek_key.public_key().public_numbers().x.to_bytes(size)
        seed = credential.kdfe(0x000B, shared, b"IDENTITY", x, mine, 256)
        integrity, identity = given.blob[4:36], given.blob[36:]
        key = credential.kdfa(0x000B, seed, b"INTEGRITY", b"", b"", 256)
        if not hmac.compare_digest(integrity, hmac.digest(key, identity + self.name, "sha256")):
            raise VerificationFailed("the credential is not for this TPM, or not for this key in it")
        storage = credential.kdfa(0x000B, seed, b"STORAGE", self.name, b"", 128)
        decryptor = Cipher(algorithms.AES(storage), CFB(bytes(16))).decryptor()
        return (decryptor.update(identity) + decryptor.finalize())[2:]


def event(pcr: int, kind: int, data: bytes, digest: bytes | None = None) -> event_log.Event:
    """Return an event whose digest is that of its data, or the one given."""
    return event_log.Event(pcr, kind, digest or hashlib.sha256(data).digest(), data)


def booted(kernel: bytes = b"kernel", initrd: bytes = b"initrd", line: bytes = b"quiet") -> list[event_log.Event]:
    """Return the events of a small machine: firmware, kernel, separators, command line, initrd."""
    tags = {0x8F3B22ED: (b"LOADED_IMAGE::LoadOptions\0", line), 0x8F3B22EC: (b"Linux initrd\0", initrd)}
    return [
        event(0, 0x00000008, b"firmware 1"),
        event(7, 0x80000001, b"SecureBoot off"),
        event(4, 0x80000003, b"image", hashlib.sha256(kernel).digest()),
        event(4, 0x80000007, b"Calling EFI Application from Boot Option"),
        *(event(number, 0x00000004, bytes(4)) for number in range(8)),
        *(
            event(9, 0x00000006, tag.to_bytes(4, "little") + len(text).to_bytes(4, "little") + text, _digest(content))
            for tag, (text, content) in tags.items()
        ),
    ]


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def written(events: Sequence[event_log.Event]) -> bytes:
    """Return a crypto-agile log with SHA-1 and SHA-256 digests."""
    algorithms_named = bytes.fromhex("040014000b002000")
    specification = b"Spec ID Event03\0" + bytes(4) + b"\0\2\0\2" + (2).to_bytes(4, "little") + algorithms_named + b"\0"
    log = bytes(4) + (3).to_bytes(4, "little") + bytes(20) + len(specification).to_bytes(4, "little") + specification
    for item in events:
        log += item.pcr.to_bytes(4, "little") + item.kind.to_bytes(4, "little") + (2).to_bytes(4, "little")
        log += (4).to_bytes(2, "little") + bytes(20) + (11).to_bytes(2, "little") + item.digest
        log += len(item.data).to_bytes(4, "little") + item.data
    return log


def measured(files: Mapping[str, bytes], tpm: SoftTpm) -> bytes:
    """Measure files as IMA does, after the digest over this boot; return the list."""
    aggregate = _digest(b"".join(tpm.pcrs[number] for number in range(10)))
    lines: list[bytes] = []
    for path, digest in [(ima.AGGREGATE, aggregate), *((path, _digest(data)) for path, data in files.items())]:
        fields = (b"sha256:\0" + digest, path.encode() + b"\0")
        template = b"".join(len(item).to_bytes(4, "little") + item for item in fields)
        shown = hashlib.sha1(template, usedforsecurity=False).hexdigest()
        lines.append(f"10 {shown} ima-ng sha256:{digest.hex()} {path}\n".encode())
        tpm.extend(10, _digest(template))
    return b"".join(lines)


def expected(
    family: Family, values: Values, roots: tuple[Root, ...], demands: frozenset[Claim] | None = None
) -> Expected:
    """Return what is expected, in force around `AT`."""
    wanted = RELEASE[family] if demands is None else demands
    start, end = AT - timedelta(days=30), AT + timedelta(days=30)
    return Expected(family, f"test {family}", wanted, roots, values, start, end, Digest.of(b"test"))


def values_of(tpm: SoftTpm, log: bytes, files: Mapping[str, bytes] | None = None) -> TpmValues:
    """Return reference values that fit a machine as it is."""
    named: dict[str, set[bytes]] = {}
    for name, digests in boot.digests(event_log.parse(log)).items():
        named[name] = {bytes.fromhex(item) for item in digests}
    return TpmValues(
        QUOTED,
        {number: frozenset({tpm.pcrs[number]}) for number in (0, 7)},
        {name: frozenset(items) for name, items in named.items()},
        {path: frozenset({f"sha256:{_digest(data).hex()}"}) for path, data in (files or {}).items()},
    )
