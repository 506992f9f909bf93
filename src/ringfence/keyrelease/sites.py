"""Site registers: where a provider says, under its own key, that its devices stand. Pure.

No quote attests a place. A register is another party's word, kept apart from the device's evidence.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ringfence.kernel import digest
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.keyrelease.model import Place, PlaceKind, Rule
from ringfence.keyrelease.rules import country

FORMAT = "urn:ringfence:site-register:v1"
PAYLOAD_TYPE = "application/vnd.ringfence.site-register+json"
MAX_REGISTER = 4 * 2**20
MAX_DEVICES = 20_000
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Site:
    """Where one device stands."""

    country: str
    site: str


@dataclass(frozen=True, slots=True)
class Register:
    """A register whose signature was verified."""

    key: str  # public key, hexadecimal
    provider: str
    issued_at: datetime
    expires_at: datetime
    devices: dict[str, Site]
    digest: Digest

    def holds_at(self, at: datetime) -> bool:
        """Return whether it counts now."""
        return self.issued_at <= at < self.expires_at


def verify(data: bytes) -> Register:
    """Return a register that the key it names has signed; whether that key counts is the rule's to say.

    Raises:
        MalformedInput: it is none.
        VerificationFailed: the signature does not match.
    """
    match digest.loads(data, source="site register", limit=MAX_REGISTER):
        case {
            "payload": str() as payload, "payloadType": kind,
            "signatures": [{"keyid": str() as key, "sig": str() as signature, **of_signature}], **more,
        } if kind == PAYLOAD_TYPE and not more and not of_signature:  # fmt: skip
            body, raw = _bytes(payload), _bytes(signature)
        case _:
            raise MalformedInput("a site register is a DSSE envelope with one signature", source="site register")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(raw, _pae(body))
    except (InvalidSignature, ValueError) as error:
        raise VerificationFailed("the signature does not match the site register") from error
    return _parsed(body, key, Digest.of(data))


def _parsed(body: bytes, key: str, name: Digest) -> Register:
    match digest.loads(body, source="site register", limit=MAX_REGISTER):
        case {
            "format": kind, "provider": str() as provider, "issuedAt": issued, "expiresAt": expires,
            "devices": list() as devices, **more,
        } if kind == FORMAT and not more and len(devices) <= MAX_DEVICES and len(provider) <= _MAX_TEXT:  # fmt: skip
            found: dict[str, Site] = {}
            for device in devices:
                identity, site = _device(device)
                if identity in found:
                    raise MalformedInput(f"the device {identity[:80]} stands twice", source="site register")
                found[identity] = site
            return Register(key, provider, from_text(issued), from_text(expires), found, name)
        case _:
            raise MalformedInput("not a site register of version 1", source="site register")


def _device(value: object) -> tuple[str, Site]:
    match value:
        case {"device": str() as device, "country": code, "site": str() as site, **more} if (
            not more and 0 < len(device) <= _MAX_TEXT and len(site) <= _MAX_TEXT
        ):
            return device, Site(country(code), site)
        case _:
            raise MalformedInput("a device of a register has device, country and site", source="site register")


def sign(key: Ed25519PrivateKey, *, provider: str, issued_at: datetime, expires_at: datetime, devices: Any) -> bytes:
    """Return a signed register; what a provider does, and our tests.

    Args:
        key: the provider's own.
        provider: its name.
        issued_at: from when on it counts.
        expires_at: until when.
        devices: a list of objects with device, country and site.
    """
    document = {
        "format": FORMAT,
        "provider": provider,
        "issuedAt": to_text(issued_at),
        "expiresAt": to_text(expires_at),
        "devices": devices,
    }
    body = digest.dumps(document)
    signature = {"keyid": key.public_key().public_bytes_raw().hex(), "sig": _text(key.sign(_pae(body)))}
    return digest.dumps({"payload": _text(body), "payloadType": PAYLOAD_TYPE, "signatures": [signature]})


def place_of(device: str, declared: str, rule: Rule | None, registers: list[Register], at: datetime) -> Place:
    """Return where a node is said to be: by a register of a key that the rule names, else by the person who asks.

    Where registers name two countries for one device, nobody knows where it stands.
    """
    counting = [one for one in registers if rule is not None and one.key in rule.registers and one.holds_at(at)]
    saying = [one for one in counting if device and device in one.devices]
    if len({one.devices[device].country for one in saying}) > 1:
        return Place()
    for register in saying:
        return Place(register.devices[device].country, PlaceKind.PROVIDER_SIGNED, register.digest)
    return Place(country(declared), PlaceKind.DECLARED) if declared else Place()


def _pae(payload: bytes) -> bytes:
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise MalformedInput("bytes are standard base64", source="site register") from error
