"""The file from which the hot path knows keys and routes: what it says, and whose word it is.

Format: docs/specs/snapshot.md. Two lines. The first is a DSSE envelope over a short head: version, times, and the
SHA-256 of the second line, which holds keys and routes. The head is renewed every few seconds; where its digest is
the one already known, the second line need not be parsed again, and receipts keep naming the same policy.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ringfence.gateway.entries import deployment_from, deployment_to, key_from, key_to
from ringfence.gateway.model import ApiKey, Deployment, Snapshot
from ringfence.kernel import digest
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import key_id_of
from ringfence.kernel.errors import MalformedInput, Unavailable, VerificationFailed

PAYLOAD_TYPE = "application/vnd.ringfence.gateway-snapshot+json"
FORMAT = "urn:ringfence:gateway-snapshot:v1"
SETTINGS = "urn:ringfence:gateway:v1"
LIFE = timedelta(seconds=60)  # unless the home says otherwise
SHORTEST, LONGEST = timedelta(seconds=10), timedelta(seconds=300)
MAX_SNAPSHOT = 32 * 2**20  # some 60,000 keys
_MAX_HEAD = 4096
# Of the second line: a reader refuses what is longer, and with it every caller.
MAX_POLICY = MAX_SNAPSHOT - 4 * _MAX_HEAD

Sign = Callable[[bytes], bytes]  # Ed25519 over the given bytes


def made(
    *,
    version: int,
    at: datetime,
    keys: tuple[ApiKey, ...],
    deployments: tuple[Deployment, ...],
    guard: bool = False,
    life: timedelta = LIFE,
    most: int = MAX_POLICY,
) -> Snapshot:
    """Return the snapshot of keys and routes that is good from `at` on, for its short life.

    Raises:
        Unavailable: it has more than `most` bytes, and no gateway would read it.
    """
    at = from_text(to_text(at))  # times in the file are of whole milliseconds
    policy = _policy(keys, deployments, guard=guard)
    if len(policy) > most:
        raise Unavailable(
            f"keys and routes of all tenants take {len(policy)} bytes, and the gateway reads {most} at most: "
            "stop deployments, and issue fewer keys, each for fewer deployments"
        )
    return Snapshot(version, at, at + life, keys, deployments, Digest.of(policy), guard)


def changed(last: Snapshot, keys: tuple[ApiKey, ...]) -> Snapshot:
    """Return the snapshot after `last` with other keys and no longer life: nobody has confirmed the rest anew."""
    policy = Digest.of(_policy(keys, last.deployments, guard=last.guard))
    return replace(last, version=last.version + 1, keys=keys, digest=policy)


def to_bytes(snapshot: Snapshot, sign: Sign, public_key: bytes) -> bytes:
    """Print and sign a snapshot; `sign` signs with the private half of `public_key`."""
    policy = _policy(snapshot.keys, snapshot.deployments, guard=snapshot.guard)
    head = digest.dumps(
        {
            "format": FORMAT,
            "version": snapshot.version,
            "issuedAt": to_text(snapshot.issued_at),
            "expiresAt": to_text(snapshot.expires_at),
            "policy": str(Digest.of(policy)),
        }
    )
    return _envelope(head, public_key, sign(_pae(head))) + b"\n" + policy + b"\n"


def parse(data: bytes, public_key: bytes, known: Snapshot | None = None) -> Snapshot:
    """Return the snapshot that the holder of `public_key` signed, where it is not older than the `known` one.

    Parsing says nothing about its age: ask `check_fresh` before each use.

    Raises:
        MalformedInput: not a snapshot, or not in its one byte form.
        VerificationFailed: another key signed it, somebody changed it, or it is older than the known one.
    """
    if len(data) > MAX_SNAPSHOT:
        raise MalformedInput(f"a snapshot has at most {MAX_SNAPSHOT} bytes")
    head_line, newline, rest = data.partition(b"\n")
    if not newline or not rest.endswith(b"\n"):
        raise MalformedInput("a snapshot has two lines, each with its end")
    version, issued_at, expires_at, policy = _head(_verified(head_line, public_key))
    if known is not None and version < known.version:
        raise VerificationFailed(f"the snapshot has version {version}, and version {known.version} is known already")
    line = rest[:-1]
    if Digest.of(line) != policy:
        raise VerificationFailed("keys and routes in the snapshot are not those that were signed")
    if known is not None and known.digest == policy:
        return replace(known, version=version, issued_at=issued_at, expires_at=expires_at)
    keys, deployments, guard = _parse_policy(line)
    return Snapshot(version, issued_at, expires_at, keys, deployments, policy, guard)


def check_fresh(snapshot: Snapshot, at: datetime) -> Snapshot:
    """Return the snapshot while it may be used; raise `Unavailable`.

    One from the future may not, since its age cannot be told.
    """
    if not usable_from(snapshot) <= at < snapshot.expires_at:
        life = snapshot.expires_at - snapshot.issued_at
        raise Unavailable(
            f"keys and routes were last confirmed at {to_text(snapshot.issued_at)}, and are good for "
            f"{int(life.total_seconds())} s: is `ringfence up` running?"
        )
    return snapshot


def life_in(data: bytes, *, source: str) -> timedelta:
    """Parse the gateway's settings of a home; raise `MalformedInput` with what they may say."""
    least, most = SHORTEST.seconds, LONGEST.seconds
    match digest.loads(data, source=source, limit=_MAX_HEAD):
        case {"format": kind, "snapshotSeconds": int() as seconds, **extra} if not extra and kind == SETTINGS:
            if type(seconds) is int and least <= seconds <= most:
                return timedelta(seconds=seconds)
    raise MalformedInput(f"it has format {SETTINGS!r} and snapshotSeconds, {least} to {most}", source=source)


def usable_from(snapshot: Snapshot) -> datetime:
    """Return since when a snapshot may be used: clocks of one machine may have been set back by one life."""
    return snapshot.issued_at - (snapshot.expires_at - snapshot.issued_at)


def _policy(keys: tuple[ApiKey, ...], deployments: tuple[Deployment, ...], *, guard: bool) -> bytes:
    return digest.dumps(
        {"keys": [key_to(key) for key in keys], "deployments": [deployment_to(one) for one in deployments]}
        | {"guard": guard}
    )


def _parse_policy(line: bytes) -> tuple[tuple[ApiKey, ...], tuple[Deployment, ...], bool]:
    match digest.loads(line, source="snapshot", limit=MAX_SNAPSHOT):
        case {"keys": list() as keys, "deployments": list() as deployments, "guard": bool() as guard, **extra} if (
            not extra
        ):
            return tuple(key_from(one) for one in keys), tuple(deployment_from(one) for one in deployments), guard
        case _:
            raise MalformedInput("the second line of a snapshot holds keys, deployments and guard")


def _head(payload: bytes) -> tuple[int, datetime, datetime, Digest]:
    match digest.loads(payload, source="snapshot", limit=_MAX_HEAD):
        case {
            "format": str() as kind,
            "version": int() as version,
            "issuedAt": issued,
            "expiresAt": expires,
            "policy": policy,
            **extra,
        } if not extra and kind == FORMAT and type(version) is int and version >= 1:
            issued_at, expires_at = from_text(issued), from_text(expires)
        case _:
            raise MalformedInput("not the head of a snapshot: see docs/specs/snapshot.md")
    if not SHORTEST <= expires_at - issued_at <= LONGEST:
        raise MalformedInput(f"a snapshot lives for {SHORTEST.seconds} to {LONGEST.seconds} s")
    return version, issued_at, expires_at, Digest.parse(policy)


def _verified(line: bytes, public_key: bytes) -> bytes:
    match digest.loads(line, source="snapshot", limit=2 * _MAX_HEAD):
        case {"payload": str() as payload_text, "signatures": [{"sig": str() as signature_text}]}:
            payload, signature = _decoded(payload_text), _decoded(signature_text)
        case _:
            raise MalformedInput("the first line of a snapshot is a DSSE envelope with one signature")
    if line != _envelope(payload, public_key, signature):
        raise VerificationFailed("the snapshot names another key, or is not in its one byte form")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _pae(payload))
    except (InvalidSignature, ValueError) as error:
        raise VerificationFailed("the signature does not match the snapshot") from error
    return payload


def _envelope(payload: bytes, public_key: bytes, signature: bytes) -> bytes:
    return digest.dumps(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": key_id_of(public_key), "sig": base64.b64encode(signature).decode()}],
        }
    )


def _pae(payload: bytes) -> bytes:
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput("the snapshot holds what is not base64") from error
