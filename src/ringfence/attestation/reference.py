"""Reference documents: what is expected of evidence, signed, dated and strict (docs/specs/attestation.md)."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ringfence.attestation import boot, signatures, tdx_collateral, tpm_structures
from ringfence.attestation.fields import Fields, encoded, hexadecimal, index
from ringfence.attestation.model import (
    LEAST,
    Claim,
    Expected,
    Family,
    GpuValues,
    Root,
    SnpValues,
    TdxValues,
    TpmValues,
    Values,
)
from ringfence.kernel import digest
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import key_id_of
from ringfence.kernel.errors import MalformedInput, VerificationFailed

FORMAT = "urn:ringfence:attestation-reference:v1"
PAYLOAD_TYPE = "application/vnd.ringfence.attestation-reference.v1+json"
MAX_DOCUMENT = 32 * 2**20
LONGEST_LIFE = timedelta(days=366)
_MAX_ROOTS, _MAX_VALUES, _MAX_PATHS = 16, 64, 200_000
_FIELDS = frozenset({"format", "name", "family", "madeAt", "validUntil", "demands", "roots", "values"})
_LOGGED = 32  # bytes of SHA-256
_REGISTER = 48  # bytes of a measurement of SEV-SNP and TDX
_RTMRS, _VMPLS, _MAX_SVN, _FIRMWARE = 4, 3, 255, 8
_SNP_PARTS = frozenset({"fmc", "bootLoader", "tee", "snp", "microcode"})
_IMA_DIGESTS = {"sha256": 32, "sha384": 48, "sha512": 64}


def parse(payload: bytes, *, source: str = "") -> Expected:
    """Parse an unsigned document; raise `MalformedInput`. Where it comes from a file, use `open_signed`."""
    fields = Fields(digest.loads(payload, source=source, limit=MAX_DOCUMENT), "the reference document", _FIELDS)
    if fields.raw("format") != FORMAT:
        raise MalformedInput(f"the reference document is not of the format {FORMAT}", source=source)
    family = _family(fields.raw("family"))
    demands = frozenset(_claim(item) for item in fields.items("demands", len(Claim)))
    if missing := sorted(LEAST[family] - demands):
        raise MalformedInput(f"the reference document has to demand {', '.join(missing)} too", source=source)
    made_at, valid_until = from_text(fields.raw("madeAt")), from_text(fields.raw("validUntil"))
    if not made_at < valid_until <= made_at + LONGEST_LIFE:
        raise MalformedInput(f"reference values hold for at most {LONGEST_LIFE.days} days", source=source)
    roots = tuple(_root(item) for item in fields.items("roots", _MAX_ROOTS))
    if not roots:
        raise MalformedInput("the reference document names no root", source=source)
    if len({root.spki for root in roots}) != len(roots):
        raise MalformedInput("the reference document names a root twice", source=source)
    values = _values(family, fields.raw("values"))
    return Expected(
        family, fields.text("name"), demands, roots, values, made_at, valid_until, Digest.of(payload)
    )  # fmt: skip


def _root(value: object) -> Root:
    fields = Fields(value, "a root", frozenset({"label", "spki", "hardware"}))
    spki = fields.octets("spki")
    signatures.key(spki)
    return Root(spki, fields.text("label"), software=not fields.flag("hardware"))


def _family(value: object) -> Family:
    if isinstance(value, str) and value in set(Family):
        return Family(value)
    raise MalformedInput(f"the reference document names no family of evidence ({', '.join(Family)})")


def _claim(value: object) -> Claim:
    if isinstance(value, str) and value in set(Claim):
        return Claim(value)
    raise MalformedInput(f"the reference document demands something that is no claim ({', '.join(Claim)})")


def _values(family: Family, value: object) -> Values:
    match family:
        case Family.TPM2:
            return _tpm(value)
        case Family.SEV_SNP:
            return _snp(value)
        case Family.TDX:
            return _tdx(value)
        case Family.NVIDIA_GPU:
            fields = Fields(value, "the values", frozenset({"models"}))
            return GpuValues(frozenset(_text(item) for item in fields.items("models", _MAX_VALUES)))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise MalformedInput("the reference document has something in a list of texts that is none")
    return value


def _registers(items: Iterable[object], size: int, what: str) -> frozenset[bytes]:
    return frozenset(hexadecimal(item, size, what) for item in items)


def _lists(fields: Fields, name: str, below: int, size: int) -> dict[int, frozenset[bytes]]:
    found: dict[int, frozenset[bytes]] = {}
    for number, items in fields.table(name, below).items():
        place = index(number, below, name)
        if not isinstance(items, list) or not 0 < len(items) <= _MAX_VALUES:
            raise MalformedInput(f"the reference document: {name} {number} is no list of 1 to {_MAX_VALUES} values")
        found[place] = _registers(items, size, f"{name} {number}")
    return found


def _tpm(value: object) -> TpmValues:
    fields = Fields(value, "the values", frozenset({"pcrs", "golden", "events", "ima", "leastFirmware"}))
    pcrs = fields.items("pcrs", tpm_structures.PCRS)
    if not pcrs or any(not isinstance(n, int) or isinstance(n, bool) or n not in range(24) for n in pcrs):
        raise MalformedInput("the reference document demands no PCRs, or some that no TPM has")
    golden = _lists(fields, "golden", tpm_structures.PCRS, _LOGGED)
    if not set(golden) <= set(pcrs):
        raise MalformedInput("the reference document has values of PCRs that it does not demand")
    events: dict[str, frozenset[bytes]] = {}
    for name, items in fields.table("events", len(boot.NAMES)).items():
        if name not in boot.NAMES or not isinstance(items, list) or not 0 < len(items) <= _MAX_VALUES:
            raise MalformedInput(f"the reference document: an event is {', '.join(boot.NAMES)}, with digests")
        events[name] = _registers(items, _LOGGED, f"the digest of {name}")
    allowed = {path: _file_digests(path, items) for path, items in fields.table("ima", _MAX_PATHS).items()}
    firmware = int.from_bytes(hexadecimal(fields.raw("leastFirmware"), _FIRMWARE, "leastFirmware"))
    return TpmValues(frozenset(pcrs), golden, events, allowed, firmware)


def _file_digests(path: str, items: object) -> frozenset[str]:
    if not isinstance(items, list) or not 0 < len(items) <= _MAX_VALUES:
        raise MalformedInput(f"the reference document: {path[:80]} has no list of digests")
    for item in items:
        algorithm, _, digits = _text(item).partition(":")
        hexadecimal(digits, _IMA_DIGESTS.get(algorithm, 0) or len(digits) + 1, f"the digest of {path[:80]}")
    return frozenset(items)


def _snp(value: object) -> SnpValues:
    names = frozenset({"measurements", "leastTcb", "product", "vmpl", "allowSmt", "allowMigrationAgent"})
    fields = Fields(value, "the values", names)
    least = Fields(fields.raw("leastTcb"), "leastTcb", frozenset(), _SNP_PARTS)
    return SnpValues(
        _registers(fields.items("measurements", _MAX_VALUES), _REGISTER, "a measurement"),
        {part: least.number(part, _MAX_SVN) for part in sorted(_SNP_PARTS) if part in least},
        fields.text("product"),
        fields.number("vmpl", _VMPLS),
        fields.flag("allowSmt"),
        fields.flag("allowMigrationAgent"),
    )


def _tdx(value: object) -> TdxValues:
    fields = Fields(value, "the values", frozenset({"mrtd", "rtmrs", "statuses", "leastEvaluation"}))
    statuses = frozenset(_text(item) for item in fields.items("statuses", len(tdx_collateral.STATUSES)))
    if not statuses <= set(tdx_collateral.STATUSES) - {"Revoked"}:
        raise MalformedInput("the reference document accepts a TCB status that is none, or Revoked")
    return TdxValues(
        _registers(fields.items("mrtd", _MAX_VALUES), _REGISTER, "an MRTD"),
        _lists(fields, "rtmrs", _RTMRS, _REGISTER),
        statuses,
        fields.number("leastEvaluation"),
    )


def payload(expected: Expected) -> bytes:
    """Return the document of what is expected: `parse` gives it back, but for digest and signer."""
    return digest.dumps(
        {
            "format": FORMAT,
            "name": expected.name,
            "family": expected.family.value,
            "madeAt": to_text(expected.made_at),
            "validUntil": to_text(expected.valid_until),
            "demands": [claim.value for claim in Claim if claim in expected.demands],
            "roots": [
                {"label": root.label, "spki": encoded(root.spki), "hardware": not root.software}
                for root in expected.roots
            ],
            "values": _printed(expected.values),
        }
    )


def _printed(values: Values) -> dict[str, Any]:
    match values:
        case TpmValues():
            return {
                "pcrs": sorted(values.pcrs),
                "golden": _shown(values.golden),
                "events": {name: sorted(item.hex() for item in items) for name, items in values.events.items()},
                "ima": {path: sorted(items) for path, items in values.ima.items()},
                "leastFirmware": f"{values.least_firmware:016x}",
            }
        case SnpValues():
            return {
                "measurements": sorted(item.hex() for item in values.measurements),
                "leastTcb": dict(values.least_tcb),
                "product": values.product,
                "vmpl": values.vmpl,
                "allowSmt": values.allow_smt,
                "allowMigrationAgent": values.allow_migration_agent,
            }
        case TdxValues():
            return {
                "mrtd": sorted(item.hex() for item in values.mrtd),
                "rtmrs": _shown(values.rtmrs),
                "statuses": sorted(values.statuses),
                "leastEvaluation": values.least_evaluation,
            }
        case GpuValues():
            return {"models": sorted(values.models)}


def _shown(registers: Mapping[int, frozenset[bytes]]) -> dict[str, list[str]]:
    return {str(number): sorted(item.hex() for item in items) for number, items in registers.items()}


def pae(data: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding of a reference document."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(data), data)


def sign(data: bytes, key: Ed25519PrivateKey) -> bytes:
    """Return the DSSE envelope of a document; raise `MalformedInput` where it is none that we would read."""
    parse(data)
    return _enveloped(data, key_id_of(key.public_key().public_bytes_raw()), key.sign(pae(data)))


def _enveloped(data: bytes, signer: str, signature: bytes) -> bytes:
    return digest.dumps(
        {
            "payload": b64encode(data).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": signer, "sig": b64encode(signature).decode()}],
        }
    )


def open_signed(data: bytes, keys: Iterable[bytes], *, source: str = "", at: datetime | None = None) -> Expected:
    """Return what a signed document expects.

    Args:
        data: the DSSE envelope, in its one byte form.
        keys: raw Ed25519 public keys of those who may say what is right; no others count.
        source: where it comes from, for messages.
        at: where given, the document has to be in force then.

    Raises:
        MalformedInput: it is no signed reference document.
        VerificationFailed: none of the keys signed it, or it is not in force.
    """
    document = digest.loads(data, source=source, limit=2 * MAX_DOCUMENT)
    match document:
        case {
            "payload": str() as text,
            "payloadType": str() as kind,
            "signatures": [{"keyid": str() as signer, "sig": str() as signature_text}],
        } if kind == PAYLOAD_TYPE:
            pass
        case _:
            raise MalformedInput("not a signed reference document: a DSSE envelope with one signature", source=source)
    try:
        inner, signature = b64decode(text, validate=True), b64decode(signature_text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput("the envelope holds something that is no base64 text", source=source) from error
    if _enveloped(inner, signer, signature) != data.rstrip(b"\n"):
        raise MalformedInput("the envelope is not in its one byte form", source=source)
    _check_signature(inner, signer, signature, keys)
    expected = replace(parse(inner, source=source), signer=signer)
    if at is not None and not expected.made_at <= at <= expected.valid_until:
        raise VerificationFailed(f"the reference values {expected.name!r} hold until {to_text(expected.valid_until)}")
    return expected


def _check_signature(inner: bytes, signer: str, signature: bytes, keys: Iterable[bytes]) -> None:
    for key in keys:
        if key_id_of(key) != signer:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, pae(inner))
        except (InvalidSignature, ValueError) as error:
            raise VerificationFailed("the signature does not match the reference document") from error
        return
    raise VerificationFailed(f"the reference document is signed by key {signer[:16]}…, which is none of those given")
