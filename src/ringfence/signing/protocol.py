"""What goes over the signer's socket: four bytes of length, then canonical JSON. Pure; docs/specs/signer.md."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from ringfence.kernel import digest, identifier
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError, MalformedInput, RingfenceError, by_slug
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Checkpoint, SignedCheckpoint
from ringfence.signing.model import PublicKeys
from ringfence.signing.ports import Signer

MAX_FRAME = 2**20  # a statement has 256 KiB at most
PREFIX = 4
LONGEST_PROOF = 64
_PIECE = 2**16  # asked for at once, however much was announced
_OPERATIONS = ("check", "head", "mark", "public", "snapshot", "state")


def frame(message: Mapping[str, Any]) -> bytes:
    """Print one message."""
    data = digest.dumps(message)
    if len(data) > MAX_FRAME:
        raise MalformedInput(f"a message to the signer has at most {MAX_FRAME} bytes")
    return len(data).to_bytes(PREFIX, "big") + data


def length(prefix: bytes) -> int:
    """Return how many bytes follow; raise `MalformedInput` where that is too much, or nothing."""
    size = int.from_bytes(prefix, "big")
    if not 0 < size <= MAX_FRAME:
        raise MalformedInput(f"a message to the signer has 1 to {MAX_FRAME} bytes, not {size}")
    return size


def exactly(receive: Callable[[int], bytes], size: int) -> bytes:
    """Receive so many bytes; raise `EOFError` where the other end goes away before."""
    data = bytearray()
    while len(data) < size:
        piece = receive(min(size - len(data), _PIECE))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def answer(signer: Signer, data: bytes) -> bytes:
    """Do what a request asks for; whatever it is, the answer is one frame."""
    try:
        return frame({"ok": _done(signer, digest.loads(data, limit=MAX_FRAME))})
    except RingfenceError as error:
        return frame({"error": error.slug, "message": str(error)[:2000]})


def outcome(data: bytes) -> Any:
    """Return what an answer says, or raise what it says."""
    match digest.loads(data, limit=MAX_FRAME):
        case {"ok": value, **extra} if not extra:
            return value
        case {"error": str() as slug, "message": str() as message, **extra} if not extra:
            kind = by_slug(slug)
            raise MalformedInput(message) if kind is MalformedInput else kind(message)
        case _:
            raise InternalError("the signer answered with something else than an answer")


def _done(signer: Signer, request: Any) -> Any:
    match request:
        case {"op": "check", **extra} if not extra:
            return signer.check()
        case {"op": "mark", **extra} if not extra:
            return None if (last := signer.signed_last()) is None else head_to_json(last)
        case {"op": "public", **extra} if not extra:
            return public_to_json(signer.public())
        case {"op": "state", "role": str() as role, "payload": str() as payload, **extra} if not extra:
            return text(signer.state(_role(role), raw(payload)))
        case {"op": "snapshot", "signed": str() as signed, **extra} if not extra:
            return text(signer.snapshot(raw(signed)))
        case {"op": "head", "head": dict() as head, "at": str() as at, "proof": list() as proof, **extra} if not extra:
            if len(proof) > LONGEST_PROOF:
                raise MalformedInput(f"a proof has at most {LONGEST_PROOF} hashes")
            return signed_to_json(signer.head(head_from_json(head), from_text(at), [raw(item) for item in proof]))
        case _:
            raise MalformedInput("a request to the signer is one of " + ", ".join(_OPERATIONS))


def public_to_json(public: PublicKeys) -> dict[str, Any]:
    """Print the public halves."""
    return {
        "log": public.log,
        "controlPlane": public.control_plane.hex(),
        "emergency": public.emergency.hex(),
        "ledger": list(public.ledger),
        "custody": public.custody,
    }


def public_from_json(value: Any) -> PublicKeys:
    """Read the public halves."""
    match value:
        case {
            "log": log,
            "controlPlane": control,
            "emergency": emergency,
            "ledger": [str() as first, str() as second],
            "custody": str() as custody,
        }:
            keys = (Digest.parse(control).value, Digest.parse(emergency).value)
            return PublicKeys(identifier.log_origin(log), *keys, (first, second), custody)
        case _:
            raise MalformedInput("the signer does not say what its keys are")


def head_to_json(head: Checkpoint) -> dict[str, Any]:
    """Print a head; its size as text, since JSON of ours ends at 2**53."""
    return {"origin": head.origin, "size": str(head.size), "root": head.root.hex()}


def head_from_json(value: dict[str, Any]) -> Checkpoint:
    """Read a head."""
    match value:
        case {"origin": origin, "size": str() as size, "root": root, **extra} if (
            not extra and size.isascii() and size.isdecimal() and len(size) < 20
        ):
            return Checkpoint(identifier.log_origin(origin), int(size), Digest.parse(root).value)
        case _:
            raise MalformedInput("a head is an origin, a size and a root")


def signed_to_json(signed: SignedCheckpoint) -> dict[str, Any]:
    """Print a signed head."""
    return {"note": signed.note, "at": to_text(signed.signed_at)}


def text(data: bytes) -> str:
    """Print bytes."""
    return base64.b64encode(data).decode()


def raw(value: Any) -> bytes:
    """Read bytes."""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise MalformedInput("bytes are given to the signer as base64") from error


def _role(value: str) -> KeyRole:
    try:
        return KeyRole(value)
    except ValueError as error:
        raise MalformedInput("the signer does not know this role") from error
