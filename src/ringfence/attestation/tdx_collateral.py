"""What Intel says of TDX platforms and quoting enclaves, and since when and until when it says so.

Source: Intel, PCS API v4: TCB info (version 3), enclave identity (version 2), and how a TCB status is determined.
The signature is over the bytes of the inner object as they were sent, so they are cut out and not printed anew.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes

from ringfence.attestation import signatures
from ringfence.attestation.tdx_quote import Enclave, Platform, Quote
from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed

MAX_ANSWER = 256 * 1024
STATUSES = (  # from the best to the worst
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "Revoked",
)
TCB_SIGNER = "Intel SGX TCB Signing"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*", re.ASCII)
_ANSWER = re.compile(rb'\{"(tcbInfo|enclaveIdentity)":(\{.*\}),"signature":"([0-9a-fA-F]{128})"\}\s*', re.DOTALL)
_COMPONENTS = 16
_HALF = 32


@dataclass(frozen=True, slots=True)
class Answer:
    """One of Intel's answers, read; `check` says whether it counts."""

    signed: bytes
    signature: bytes
    body: Mapping[str, Any]
    issued: datetime
    following: datetime
    evaluation: int


def parse(data: bytes, name: str) -> Answer:
    """Parse the answer whose inner object is `name`; raise `MalformedInput`."""
    what = f"Intel's {name}"
    if len(data) > MAX_ANSWER:
        raise MalformedInput(f"{what} has {len(data)} bytes; the limit is {MAX_ANSWER}")
    match = _ANSWER.fullmatch(data)
    if match is None or match[1] != name.encode():
        raise MalformedInput(f"{what} is not in the form in which Intel sends it")
    digest.loads(data, source=what, limit=MAX_ANSWER)
    body = digest.loads(match[2], source=what, limit=MAX_ANSWER)
    return Answer(
        match[2],
        bytes.fromhex(match[3].decode()),
        body,
        _instant(body, "issueDate", what),
        _instant(body, "nextUpdate", what),
        _number(body, "tcbEvaluationDataNumber", what),
    )


def check(answer: Answer, spki: bytes, at: datetime) -> None:
    """Raise `VerificationFailed` where this key did not sign the answer, or it is not in force at `at`."""
    r, s = int.from_bytes(answer.signature[:_HALF]), int.from_bytes(answer.signature[_HALF:])
    if not signatures.ecdsa_numbers(signatures.key(spki), r, s, answer.signed, hashes.SHA256()):
        raise VerificationFailed("the collateral is not signed by the TCB signing key")
    if not answer.issued <= at <= answer.following:
        raise VerificationFailed(
            f"the collateral holds from {answer.issued:%Y-%m-%d} to {answer.following:%Y-%m-%d}, "
            f"and not at {at:%Y-%m-%d}"
        )


def platform_statuses(answer: Answer, platform: Platform, quote: Quote) -> tuple[str, str]:
    """Return the statuses of this platform and of its TDX module: each one of `STATUSES`.

    Raises:
        VerificationFailed: the answer is about other platforms or modules, or knows no level that low.
        MalformedInput: a part of it is not as Intel writes it.
    """
    body, what = answer.body, "Intel's tcbInfo"
    if (body.get("id"), body.get("version")) != ("TDX", 3):
        raise MalformedInput(f"{what} is not about TDX, in version 3")
    if _text(body, "fmspc", what).lower() != platform.fmspc or _text(body, "pceId", what).lower() != platform.pce:
        raise VerificationFailed(
            f"the collateral is for platforms {_text(body, 'fmspc', what).lower()}, and this is one of {platform.fmspc}"
        )
    module = _module(body, quote, what)
    first = 2 if quote.tcb[1] else 0  # with a module of its own version, the first two numbers are the module's
    for level in _list(body, "tcbLevels", what):
        tcb = _object(level, "tcb", what)
        if (
            _reaches(platform.components, _components(tcb, "sgxtcbcomponents", what))
            and platform.pce_version >= _number(tcb, "pcesvn", what)
            and _reaches(quote.tcb[first:], _components(tcb, "tdxtcbcomponents", what)[first:])
        ):
            return _status(level, what), module
    raise VerificationFailed("the collateral knows no TCB level as low as this platform's")


def _module(body: Mapping[str, Any], quote: Quote, what: str) -> str:
    """Check who signed the TDX module and how it is set; return its status."""
    if quote.tcb[1] == 0:
        _check_module(_object(body, "tdxModule", what), quote, what)
        return STATUSES[0]
    wanted = f"TDX_{quote.tcb[1]:02x}"
    for identity in _list(body, "tdxModuleIdentities", what) if "tdxModuleIdentities" in body else []:
        if str(_field(identity, "id", what)).lower() == wanted.lower():
            _check_module(identity, quote, what)
            for level in _list(identity, "tcbLevels", what):
                if quote.tcb[0] >= _number(_object(level, "tcb", what), "isvsvn", what):
                    return _status(level, what)
    raise VerificationFailed(f"the collateral does not know the TDX module {wanted} in this version")


def _check_module(identity: Mapping[str, Any], quote: Quote, what: str) -> None:
    mask, attributes = _octets(identity, "attributesMask", what, 8), _octets(identity, "attributes", what, 8)
    if _octets(identity, "mrsigner", what, 48) != quote.module_signer:
        raise VerificationFailed("the TDX module is signed by another key than the collateral names")
    if _masked(quote.module_attributes, mask) != attributes:
        raise VerificationFailed("the TDX module runs with other attributes than the collateral names")


def enclave_status(answer: Answer, enclave: Enclave) -> str:
    """Return the status of the quoting enclave: one of `STATUSES`; raise as `platform_statuses` does."""
    body, what = answer.body, "Intel's enclaveIdentity"
    if (body.get("id"), body.get("version")) != ("TD_QE", 2):
        raise MalformedInput(f"{what} is not about the quoting enclave of TDX, in version 2")
    select, attributes = _octets(body, "miscselectMask", what, 4), _octets(body, "attributesMask", what, 16)
    if (
        _octets(body, "mrsigner", what, 32) != enclave.signer
        or _number(body, "isvprodid", what) != enclave.product
        # Intel writes MISCSELECT as a number, highest byte first.
        or _masked(enclave.select[::-1], select) != _octets(body, "miscselect", what, 4)
        or _masked(enclave.attributes, attributes) != _octets(body, "attributes", what, 16)
    ):
        raise VerificationFailed("the quoting enclave is not the one that the collateral names")
    for level in _list(body, "tcbLevels", what):
        if enclave.version >= _number(_object(level, "tcb", what), "isvsvn", what):
            return _status(level, what)
    raise VerificationFailed("the collateral knows no version of the quoting enclave as low as this one")


def worst(*statuses: str) -> str:
    """Return the worst of these statuses."""
    return max(statuses, key=STATUSES.index, default=STATUSES[0])


def _masked(value: bytes, mask: bytes) -> bytes:
    return bytes(a & b for a, b in zip(value, mask, strict=True))


def _reaches(have: Sequence[int], needed: Sequence[int]) -> bool:
    return len(have) == len(needed) and all(a >= b for a, b in zip(have, needed, strict=True))


def _components(tcb: Mapping[str, Any], name: str, what: str) -> list[int]:
    found = [_number(item, "svn", what) for item in _list(tcb, name, what)]
    if len(found) != _COMPONENTS:
        raise MalformedInput(f"{what}: {name} has not {_COMPONENTS} entries")
    return found


def _status(level: Mapping[str, Any], what: str) -> str:
    status = _text(level, "tcbStatus", what)
    if status not in STATUSES:
        raise MalformedInput(f"{what}: the status {status[:40]!r} is not known here")
    return status


def _field(value: object, name: str, what: str) -> object:
    if not isinstance(value, dict) or name not in value:
        raise MalformedInput(f"{what}: {name} is missing")
    return value[name]


def _text(value: object, name: str, what: str) -> str:
    found = _field(value, name, what)
    if not isinstance(found, str):
        raise MalformedInput(f"{what}: {name} is no text")
    return found


def _number(value: object, name: str, what: str) -> int:
    found = _field(value, name, what)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise MalformedInput(f"{what}: {name} is no number")
    return found


def _octets(value: object, name: str, what: str, size: int) -> bytes:
    found = _text(value, name, what)
    if not _HEX.fullmatch(found) or len(found) != 2 * size:
        raise MalformedInput(f"{what}: {name} has not {size} bytes in hexadecimal digits")
    return bytes.fromhex(found)


def _object(value: object, name: str, what: str) -> Mapping[str, Any]:
    found = _field(value, name, what)
    if not isinstance(found, dict):
        raise MalformedInput(f"{what}: {name} is no object")
    return found


def _list(value: object, name: str, what: str) -> list[Any]:
    found = _field(value, name, what)
    if not isinstance(found, list):
        raise MalformedInput(f"{what}: {name} is no list")
    return found


def _instant(value: object, name: str, what: str) -> datetime:
    text = _text(value, name, what)
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        pass
    raise MalformedInput(f"{what}: {name} is no time")
