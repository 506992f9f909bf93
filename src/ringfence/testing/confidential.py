"""Reports and quotes of confidential guests, made by programs for tests, with certificates and collateral."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ringfence.attestation.model import SnpEvidence, TdxEvidence
from ringfence.testing.attestation import AT, Authority, PrivateKey, private_key

P384 = ec.SECP384R1()
CHIP = bytes(range(64))
MEASUREMENT = b"m" * 48
TCB = bytes((3, 0, 0, 0, 0, 0, 8, 115))  # Milan: boot loader, TEE, four reserved, SNP, microcode
_AMD = "1.3.6.1.4.1.3704.1."
_SGX = "1.2.840.113741.1.13.1"
FMSPC = bytes.fromhex("50806f000000")


def der_integer(value: int) -> bytes:
    """Return a DER INTEGER."""
    content = value.to_bytes(value.bit_length() // 8 + 1)
    return bytes((2, len(content))) + content


def _numbers(key: PrivateKey, data: bytes, algorithm: hashes.HashAlgorithm) -> tuple[int, int]:
    return decode_dss_signature(key.sign(data, ec.ECDSA(algorithm)))


@dataclass
class SnpChip:
    """A chip that signs reports, and who vouches for its key."""

    root: Authority = field(default_factory=lambda: Authority.root("ARK-Test", 21, P384))
    seed: int = 23
    provider: str = ""
    chip: bytes = CHIP
    issued_for: bytes = TCB

    def __post_init__(self) -> None:
        self.key = private_key(self.seed, P384)
        self.issuer = self.root.below("SEV-Test", 22)
        extensions = {
            _AMD + "2": b"\x16\x08Milan-B0",
            _AMD + "3.1": der_integer(self.issued_for[0]),
            _AMD + "3.2": der_integer(self.issued_for[1]),
            _AMD + "3.3": der_integer(self.issued_for[6]),
            _AMD + "3.8": der_integer(self.issued_for[7]),
        }
        if self.provider:
            written = self.provider.encode()
            extensions[_AMD + "5"] = bytes((0x16, len(written))) + written
        else:
            extensions[_AMD + "4"] = self.chip
        self.certificate = self.issuer.certify(
            "SEV-VLEK" if self.provider else "SEV-VCEK", self.key, extensions=extensions
        )

    def report(
        self,
        report_data: bytes,
        *,
        version: int = 3,
        policy: int = 0x30000,
        vmpl: int = 0,
        tcbs: Mapping[str, bytes] | None = None,
        measurement: bytes = MEASUREMENT,
        order: str = "little",
    ) -> bytes:
        """Return a signed report; `order` big writes r and s as they must not be."""
        at = {"current": 0x38, "reported": 0x180, "committed": 0x1E0, "launch": 0x1F0}
        data = bytearray(0x4A0)
        data[0:4] = version.to_bytes(4, "little")
        data[0x08:0x10] = policy.to_bytes(8, "little")
        data[0x30:0x34], data[0x34:0x38] = vmpl.to_bytes(4, "little"), (1).to_bytes(4, "little")
        for name, place in at.items():
            data[place : place + 8] = (tcbs or {}).get(name, TCB)
        data[0x48:0x4C] = ((1 << 2) if self.provider else 0).to_bytes(4, "little")
        data[0x50:0x90] = report_data.ljust(64, b"\0")
        data[0x90:0xC0] = measurement
        data[0x1A0:0x1E0] = bytes(64) if self.provider else self.chip
        r, s = _numbers(self.key, bytes(data[:0x2A0]), hashes.SHA384())
        data[0x2A0:0x2E8] = r.to_bytes(72, order)  # type: ignore[arg-type]
        data[0x2E8:0x330] = s.to_bytes(72, order)  # type: ignore[arg-type]
        return bytes(data)

    def evidence(self, report: bytes, *, crl: bytes | None = None) -> SnpEvidence:
        """Return a report with its certificates."""
        return SnpEvidence(report, self.certificate, (self.issuer.certificate,), crl)


def _sgx_extension(fmspc: bytes, components: tuple[int, ...], pce: int, ppid: bytes) -> bytes:
    def oid(number: str) -> bytes:
        body = bytes.fromhex("2a864886f84d010d01") + bytes(int(part) for part in number.split(".") if part)
        return bytes((6, len(body))) + body

    def sequence(content: bytes) -> bytes:
        size = len(content)
        length = bytes((size,)) if size < 128 else b"\x82" + size.to_bytes(2) if size > 255 else bytes((0x81, size))
        return b"\x30" + length + content

    def octets(data: bytes) -> bytes:
        return bytes((4, len(data))) + data

    numbers = [*components, pce]
    tcb = b"".join(sequence(oid(f"2.{i}") + der_integer(number)) for i, number in enumerate(numbers, 1))
    tcb += sequence(oid("2.18") + octets(bytes(16)))
    return sequence(
        sequence(oid("1") + octets(ppid))
        + sequence(oid("2") + sequence(tcb))
        + sequence(oid("3") + octets(bytes(2)))
        + sequence(oid("4") + octets(fmspc))
    )


@dataclass
class TdxPlatform:
    """A platform whose quoting enclave signs quotes, and whoever speaks of it."""

    root: Authority = field(default_factory=lambda: Authority.root("Intel SGX Root CA", 31))
    components: tuple[int, ...] = (3,) * 16
    pce: int = 11
    ppid: bytes = b"p" * 16
    pck_seed: int = 33  # another one for each TCB level

    def __post_init__(self) -> None:
        self.issuer = self.root.below("Intel SGX PCK Platform CA", 32)
        self.pck_key, self.attestation_key = private_key(self.pck_seed), private_key(34)
        extension = _sgx_extension(FMSPC, self.components, self.pce, self.ppid)
        self.pck = self.issuer.certify("Intel SGX PCK Certificate", self.pck_key, extensions={_SGX: extension})
        self.signer_key = private_key(35)
        self.signer = self.root.certify("Intel SGX TCB Signing", self.signer_key)

    def quote(
        self,
        report_data: bytes,
        *,
        version: int = 4,
        attributes: int = 0x10000000,
        tcb: bytes = bytes((3, 0, 5)),
        mrtd: bytes = MEASUREMENT,
        chain: tuple[bytes, ...] | None = None,
    ) -> bytes:
        """Return a quote of version 4 or 5; of 5 with the body of TDX 1.5."""
        head = version.to_bytes(2, "little") + (2).to_bytes(2, "little") + (0x81).to_bytes(4, "little") + bytes(4)
        head += bytes.fromhex("939a7233f79c4ca9940a0db3957f0607") + bytes(20)
        body = tcb.ljust(16, b"\0") + bytes(48 + 48 + 8) + attributes.to_bytes(8, "little") + bytes(8) + mrtd
        body += bytes(3 * 48) + b"".join(bytes((number,)) * 48 for number in range(4)) + report_data.ljust(64, b"\0")
        if version == 5:
            body += bytes(16 + 48)
            head += (3).to_bytes(2, "little") + len(body).to_bytes(4, "little")
        signed = head + body
        numbers = self.attestation_key.public_key().public_numbers()
        point = numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
        enclave = self._enclave(hashlib.sha256(point + b"auth").digest())
        pem = b"".join(_pem(item) for item in chain or (self.pck, self.issuer.certificate, self.root.certificate))
        inner = enclave + _flat(self.pck_key, enclave) + (4).to_bytes(2, "little") + b"auth"
        inner += (5).to_bytes(2, "little") + len(pem).to_bytes(4, "little") + pem
        tail = _flat(self.attestation_key, signed) + point
        tail += (6).to_bytes(2, "little") + len(inner).to_bytes(4, "little") + inner
        return signed + len(tail).to_bytes(4, "little") + tail

    def _enclave(self, bound: bytes) -> bytes:
        data = bytearray(384)
        data[48:64] = bytes.fromhex("11000000000000000700000000000000")
        data[128:160] = b"i" * 32
        data[256:258], data[258:260] = (2).to_bytes(2, "little"), (4).to_bytes(2, "little")
        data[320:352] = bound
        return bytes(data)

    def tcb_info(
        self,
        *,
        fmspc: bytes = FMSPC,
        status: str = "UpToDate",
        until: timedelta | None = None,
        module: str = "",
        signer: bytes = bytes(48),
    ) -> bytes:
        """Return Intel's word on platforms of a kind: one level that this platform reaches, and one above it.

        With `module`, it knows modules TDX_01 signed by `signer`: from version 9 on good, from 3 on of this status.
        """
        body = self._dated({"id": "TDX", "version": 3, "fmspc": fmspc.hex(), "pceId": "0000", "tcbType": 0}, until)
        none = {"mrsigner": "0" * 96, "attributes": "0" * 16, "attributesMask": "F" * 16}
        levels = [self._level(9, "UpToDate"), self._level(0, status)]
        if module:
            modules = [{"tcb": {"isvsvn": 9}, "tcbStatus": "UpToDate"}, {"tcb": {"isvsvn": 3}, "tcbStatus": module}]
            known = none | {"id": "TDX_01", "mrsigner": signer.hex(), "tcbLevels": modules}
            body["tdxModuleIdentities"] = [known]
        return self._answer("tcbInfo", body | {"tdxModule": none, "tcbLevels": levels})

    def _level(self, least: int, status: str) -> dict[str, Any]:
        tcb = {"sgxtcbcomponents": [{"svn": least}] * 16, "pcesvn": 5, "tdxtcbcomponents": [{"svn": 0}] * 16}
        return {"tcb": tcb, "tcbDate": "2026-01-01T00:00:00Z", "tcbStatus": status}

    def identity(self, *, status: str = "UpToDate", until: timedelta | None = None, signer: bytes = b"i" * 32) -> bytes:
        """Return Intel's word on quoting enclaves."""
        body = self._dated({"id": "TD_QE", "version": 2, "miscselect": "00000000", "miscselectMask": "FFFFFFFF"}, until)
        body |= {"attributes": "11" + "00" * 15, "attributesMask": "FBFFFFFFFFFFFFFF" + "00" * 8, "isvprodid": 2}
        level = {"tcb": {"isvsvn": 4}, "tcbDate": "2026-01-01T00:00:00Z", "tcbStatus": status}
        return self._answer("enclaveIdentity", body | {"mrsigner": signer.hex(), "tcbLevels": [level]})

    def _dated(self, body: dict[str, Any], until: timedelta | None) -> dict[str, Any]:
        ends = AT + (timedelta(days=20) if until is None else until)
        return body | {
            "issueDate": _time(AT - timedelta(days=40)),
            "nextUpdate": _time(ends),
            "tcbEvaluationDataNumber": 18,
        }

    def _answer(self, name: str, body: Mapping[str, Any]) -> bytes:
        text = json.dumps(body, separators=(",", ":")).encode()
        signature = _flat(self.signer_key, text).hex().encode()
        return b'{"%s":%s,"signature":"%s"}' % (name.encode(), text, signature)

    def evidence(self, quote: bytes, **given: bytes | None) -> TdxEvidence:
        """Return a quote with whole collateral, or with the parts given; None leaves one out."""
        parts: dict[str, bytes | None] = {
            "tcb_info": self.tcb_info(),
            "qe_identity": self.identity(),
            "pck_crl": self.issuer.revoking(),
            "root_crl": self.root.revoking(),
        }
        return TdxEvidence(quote, tcb_chain=(self.signer, self.root.certificate), **(parts | given))


def _time(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _pem(data: bytes) -> bytes:
    text = base64.encodebytes(data)
    return b"-----BEGIN CERTIFICATE-----\n" + text + b"-----END CERTIFICATE-----\n"


def _flat(key: PrivateKey, data: bytes) -> bytes:
    r, s = _numbers(key, data, hashes.SHA256())
    return r.to_bytes(32) + s.to_bytes(32)
