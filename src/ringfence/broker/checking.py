"""Whether a release is published, checked from the trust file alone. Pure; docs/specs/key-release.md, section 3.

What the control process says about itself counts for nothing here: the statement has to be in the log, signed by a key
that the root enrolled.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ringfence.attestation.model import Family
from ringfence.kernel import digest
from ringfence.kernel import envelope as dsse
from ringfence.kernel.clock import from_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.statement import KeyRole
from ringfence.keyrelease.statements import NONE, RELEASED
from ringfence.keyrelease.wrapping import Terms
from ringfence.ledger import tree
from ringfence.ledger.books import check_book
from ringfence.ledger.issuers import fold
from ringfence.ledger.model import Standing, Trust
from ringfence.ledger.succession import joined, keys_of, parse
from ringfence.reports.logpart import LogPart, parse_log_part

OLDEST = timedelta(minutes=5)
AHEAD = timedelta(seconds=5)  # NTP at work
MAX_ORDER = 4 * 2**20


@dataclass(frozen=True, slots=True, repr=False)
class Order:
    """What the broker is asked for; nothing of it is believed yet."""

    envelope: Envelope
    part: LogPart
    node_key: bytes
    credential: bytes | None
    secret: bytes | None


@dataclass(frozen=True, slots=True)
class Entitled:
    """What a published release entitles to."""

    terms: Terms
    seal: Digest


def print_order(
    envelope: Envelope, log: Mapping[str, Any], node_key: bytes, credential: bytes | None, secret: bytes | None
) -> bytes:
    """Print an order."""
    document = {"envelope": _text(envelope.data), "log": dict(log), "nodeKey": _text(node_key)}
    if credential is not None and secret is not None:
        document |= {"credential": _text(credential), "secret": _text(secret)}
    return digest.dumps(document)


def parse_order(data: bytes) -> Order:
    """Parse an order strictly, or raise `MalformedInput`."""
    match digest.loads(data, source="order", limit=MAX_ORDER):
        case {"envelope": str() as envelope, "log": dict() as log, "nodeKey": str() as node_key, **more} if (
            more.keys() in (set(), {"credential", "secret"})
        ):
            signed = dsse.parse(_bytes(envelope))
            credential, secret = (_bytes(more[name]) if more else None for name in ("credential", "secret"))
            return Order(signed, parse_log_part(log, signed), _bytes(node_key), credential, secret)
        case _:
            raise MalformedInput("not an order of the broker", source="order")


def entitled(order: Order, trust: Trust, at: datetime) -> Entitled:
    """Return what the order entitles to, once the log shows it; raise `VerificationFailed`."""
    _check_published(order.part, trust)
    _check_issuer(order, trust)
    return _check_statement(order, at)


def _check_published(part: LogPart, trust: Trust) -> None:
    keys = joined(keys_of(trust), [parse(envelope, trust.root, trust.log) for envelope in part.successions])
    head = keys.open(part.checkpoint).checkpoint
    for logged in (part.enrolment, part.segment):
        tree.verify_inclusion(logged.entry, head.size, logged.leaf, logged.proof, head.root)
    if part.enrolment.entry >= part.segment.entry:
        raise VerificationFailed("the key was enrolled after it had signed the release")
    check_book(part.enrolment.envelope.statement.claims, part.segment.place.tag if part.segment.place else None)


def _check_issuer(order: Order, trust: Trust) -> None:
    part = order.part
    issuers = fold([(part.enrolment.recorded_at, part.enrolment.envelope)], trust.root)
    standing, issuer = issuers.at(order.envelope.signer, part.segment.recorded_at)
    if issuer is None or standing is not Standing.TRUSTED or issuer.role is not KeyRole.CONTROL_PLANE:
        raise VerificationFailed("the release is not signed by a control plane's key that the root enrolled")
    issuer.verify(order.envelope)
    first, second = order.envelope.statement.issuance, part.enrolment.envelope.statement.issuance
    if (first.tenant, first.log) != (second.tenant, second.log) or first.log != trust.log:
        raise VerificationFailed("the release is of another tenant or log than the key that signed it")


def _check_statement(order: Order, at: datetime) -> Entitled:
    statement = order.envelope.statement
    if statement.predicate != RELEASED:
        raise VerificationFailed(f"a statement {statement.predicate} releases nothing")
    age = at - order.part.segment.recorded_at
    if not -AHEAD <= age <= OLDEST:
        raise VerificationFailed("the release was not recorded within the last five minutes")
    claims = statement.claims
    match claims:
        case {
            "dataset": str() as dataset, "epoch": int() as epoch, "lease": str() as lease, "expiresAt": expires,
            "nodeKey": str() as node_key, "credential": str() as credential, **_more,
        }:  # fmt: skip
            terms = Terms(dataset, epoch, lease, from_text(expires), order.envelope.digest)
        case _:
            raise VerificationFailed("the release does not say what is released to whom")
    if at >= terms.expires_at:
        raise VerificationFailed("the lease is over")
    given = NONE if order.credential is None else str(Digest.of(order.credential))
    same = hmac.compare_digest(str(Digest.of(order.node_key)), node_key) & hmac.compare_digest(given, credential)
    if not same:
        raise VerificationFailed("the release names another node key, or another credential, than is given")
    if claims.get("family") == Family.TPM2.value and order.credential is None:
        raise VerificationFailed("the release is to a TPM, and no credential binds it to that one")
    subject = statement.subjects[0]
    if subject.name != f"dataset/{dataset}":
        raise VerificationFailed("the release is about another thing than the dataset that it names")
    return Entitled(terms, subject.digest)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "!", validate=True)
    except ValueError as error:
        raise MalformedInput("bytes in an order are standard base64", source="order") from error
