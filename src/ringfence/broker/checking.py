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
from ringfence.broker.grounds import Grounds, check_rule, issuers, parse_grounds
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
from ringfence.ledger.books import ANOTHER_BOOK, check_book
from ringfence.ledger.issuers import ENROLLED, Issuers
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
    grounds: Grounds
    node_key: bytes
    credential: bytes | None
    secret: bytes | None


@dataclass(frozen=True, slots=True)
class Entitled:
    """What a published release entitles to."""

    terms: Terms
    seal: Digest


def print_order(
    envelope: Envelope,
    shown: tuple[Mapping[str, Any], Mapping[str, Any]],
    node_key: bytes,
    credential: bytes | None,
    secret: bytes | None,
) -> bytes:
    """Print an order; `shown` is where the log has the release, and what that stands on."""
    log, grounds = map(dict, shown)
    document = {"envelope": _text(envelope.data), "log": log, "grounds": grounds, "nodeKey": _text(node_key)}
    if credential is not None and secret is not None:
        document |= {"credential": _text(credential), "secret": _text(secret)}
    return digest.dumps(document)


def parse_order(data: bytes) -> Order:
    """Parse an order strictly, or raise `MalformedInput`."""
    match digest.loads(data, source="order", limit=MAX_ORDER):
        case {
            "envelope": str() as envelope, "log": dict() as log, "grounds": grounds, "nodeKey": str() as node_key,
            **more,
        } if more.keys() in (set(), {"credential", "secret"}):  # fmt: skip
            signed = dsse.parse(_bytes(envelope))
            credential, secret = (_bytes(more[name]) if more else None for name in ("credential", "secret"))
            part, stands_on = parse_log_part(log, signed), parse_grounds(grounds)
            return Order(signed, part, stands_on, _bytes(node_key), credential, secret)
        case _:
            raise MalformedInput("not an order of the broker", source="order")


def entitled(order: Order, trust: Trust, at: datetime) -> Entitled:
    """Return what the order entitles to, once the log shows it; raise `VerificationFailed`."""
    _check_published(order, trust)
    known = issuers(order.grounds, order.part, trust.root)
    _check_issuer(order, known)
    entitled_to = _check_statement(order, at)
    check_rule(order.grounds, order.part, order.envelope.statement, known)
    return entitled_to


def _check_published(order: Order, trust: Trust) -> None:
    """Check that the log has all of it, in one book of one tenant."""
    part, grounds = order.part, order.grounds
    keys = joined(keys_of(trust), [parse(envelope, trust.root, trust.log) for envelope in part.successions])
    head = keys.open(part.checkpoint).checkpoint
    place, issuance = part.segment.place, order.envelope.statement.issuance
    for logged in (part.segment, part.enrolment, grounds.rule, *grounds.keys):
        tree.verify_inclusion(logged.entry, head.size, logged.leaf, logged.proof, head.root)
        statement = logged.envelope.statement
        if (statement.issuance.tenant, statement.issuance.log) != (issuance.tenant, trust.log):
            raise VerificationFailed("the release is of another tenant or log than what it stands on")
        if place is not None and logged.place is not None and logged.place.tag != place.tag:
            raise VerificationFailed(ANOTHER_BOOK)
        if statement.predicate == ENROLLED:
            check_book(statement.claims, place.tag if place else None)
    if part.enrolment.entry >= part.segment.entry:
        raise VerificationFailed("the key was enrolled after it had signed the release")


def _check_issuer(order: Order, known: Issuers) -> None:
    segment = order.part.segment
    standing, issuer = known.at(order.envelope.signer, segment.recorded_at, segment.entry)
    if issuer is None or standing is not Standing.TRUSTED or issuer.role is not KeyRole.CONTROL_PLANE:
        raise VerificationFailed("the release is not signed by a control plane's key that the root enrolled")
    if issuer.revoked_at is not None:
        raise VerificationFailed("the control plane's key that signed the release was revoked since")
    issuer.verify(order.envelope)


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
