"""What the gateway records about one answer: an admission, a finish, and the two as one record.

Format: docs/specs/segment.md, section 2. Records are compact JSON in one byte form, because their bytes are the leaves
of a tree. They never hold text of a caller or of a model, nor a plain hash of one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, TypeVar

from ringfence.gateway.commitments import SALT_SIZE, opening_commitment
from ringfence.gateway.model import (
    ApiKeyId,
    Basis,
    DeploymentName,
    RequestId,
    ServedModel,
    api_key_id,
    deployment_name,
    request_id,
)
from ringfence.kernel import digest, identifier
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.digest import SIZE, Digest
from ringfence.kernel.errors import InternalError, MalformedInput
from ringfence.kernel.identifier import Tenant

Kind = TypeVar("Kind", bound=StrEnum)
MAX_NAME = 256  # characters of a model's or a node's name
MAX_RECORD = 8 * 2**10  # two names of 256 characters, all escaped, and everything else, several times
MAX_COUNT = 2**53
MAX_STATUS = 599


class Route(StrEnum):
    """What was asked for."""

    CHAT_COMPLETIONS = "chat.completions"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    INFERENCE_V2 = "inference-v2"


class Outcome(StrEnum):
    """How a request ended."""

    COMPLETE = "complete"  # every byte that the engine gave was handed to the connection
    ABORTED = "aborted"  # it ended before its end
    REFUSED_UPSTREAM = "refused-upstream"  # the engine answered with an error, or not at all


class Because(StrEnum):
    """Why a request did not complete."""

    NONE = ""
    CLIENT_GONE = "client-gone"
    UPSTREAM_DIED = "upstream-died"
    UPSTREAM_STALLED = "upstream-stalled"
    UPSTREAM_LIED = "upstream-lied"  # it broke its own protocol: another length than announced, a broken chunk
    GATEWAY_RESTARTED = "gateway-restarted"


@dataclass(frozen=True)  # without slots: how it is printed is kept with it
class Terms:
    """What the requests of one key to one route of one deployment have in common, under one snapshot."""

    key: ApiKeyId
    tenant: Tenant
    route: Route
    deployment: DeploymentName
    model: ServedModel
    node: str  # node id where we run the engine; empty where it runs elsewhere
    policy: Digest  # of the snapshot of keys and routes that admitted it

    @cached_property
    def printed(self) -> tuple[str, str, str]:
        """Return what stands in an admission before its number, behind its opening, and at its end.

        Raises:
            InternalError: a name is longer than a record can hold, or no text: what cannot be read back is not written.
        """
        model, node = self.model, self.node
        if max(len(model.name), len(node)) > MAX_NAME or not (_is_text(model.name) and _is_text(node)):
            raise InternalError(f"a name in a record is text of at most {MAX_NAME} characters")
        weights = _hash(model.digest.value if model.digest else b"")
        served = f'{{"basis":"{model.basis}","digest":{weights},"name":{encode_basestring_ascii(model.name)}}}'
        place = f'"model":{served},"node":{encode_basestring_ascii(node)}'
        return (
            f'","deployment":"{self.deployment}","key":"{self.key}",{place},"number":',
            f'","policy":"sha256:{self.policy.value.hex()}","request":"sha256:',
            f'","route":"{self.route}","tenant":"{self.tenant}"}}',
        )


@dataclass(slots=True)  # not frozen: two of these are made per request, and frozen ones cost four times as much
class Admitted:
    """That a request was let in; durable before the first byte of its answer leaves."""

    request: RequestId
    at: datetime
    terms: Terms
    request_commitment: bytes
    salt: bytes = field(repr=False)  # the opening: kept apart, never part of a record; empty once it was erased
    opening_commitment: bytes = b""  # as read from a record; made from the salt otherwise

    @property
    def opening(self) -> bytes:
        """Return the commitment to the salt."""
        return self.opening_commitment or opening_commitment(self.salt)


@dataclass(slots=True)
class Finished:
    """How a request ended; durable before the last byte of its answer leaves."""

    request: RequestId
    at: datetime
    outcome: Outcome
    status: int  # of HTTP, as sent to the caller; 0: none was sent
    response_commitment: bytes  # over the body as sent; empty where nobody knows it any more
    events: int = 0  # of a stream, as sent
    chain: bytes = b""  # over the events of a stream; empty: not a stream
    prompt_tokens: int | None = None  # as the engine reported
    completion_tokens: int | None = None
    because: Because = Because.NONE


@dataclass(frozen=True, slots=True)
class Record:
    """Both halves of one answer's record, and the place of its admission among the tenant's admissions."""

    number: int  # 1, 2, 3 … per tenant, without a gap
    admitted: Admitted
    finished: Finished


def admitted_bytes(record: Admitted, number: int) -> bytes:
    """Print an admission; everything but its salt.

    Raises:
        InternalError: its salt, its commitment or a name is none.
    """
    salt, committed, opening = record.salt, record.request_commitment, record.opening_commitment
    if not opening:
        if len(salt) != SALT_SIZE or len(committed) != SIZE:
            raise InternalError("the salt and the commitment of an admission have 32 bytes each")
        opening = opening_commitment(salt)
    first, policy, last = record.terms.printed
    return (
        f'{{"at":"{_time(record.at)}{first}{number},"opening":"sha256:{opening.hex()}{policy}{committed.hex()}",'
        f'"requestId":"{record.request}{last}'
    ).encode()


def finished_bytes(record: Finished) -> bytes:
    """Print a finish.

    Raises:
        InternalError: a status, a number of events or a commitment is none.
    """
    status, events, chain = record.status, record.events, record.chain
    if not 0 <= status <= MAX_STATUS or not 0 <= events <= MAX_COUNT:
        raise InternalError(f"the end of {record.request} has status {status} and {events} events")
    return (
        f'{{"at":"{_time(record.at)}","because":"{record.because}","chain":{_hash(chain) if chain else "null"},'
        f'"completionTokens":{_count(record.completion_tokens)},"events":{events},'
        f'"outcome":"{record.outcome}","promptTokens":{_count(record.prompt_tokens)},'
        f'"response":{_hash(record.response_commitment)},"status":{status}}}'
    ).encode()


def joined(admitted: bytes, finished: bytes) -> bytes:
    """Return the record that two printed halves make: a leaf of a segment's tree."""
    return b'{"admitted":' + admitted + b',"finished":' + finished + b"}"


def to_bytes(record: Record) -> bytes:
    """Print a whole record."""
    return joined(admitted_bytes(record.admitted, record.number), finished_bytes(record.finished))


@lru_cache(maxsize=16)
def _time(at: datetime) -> str:  # what many requests share at one millisecond is printed once
    return to_text(at)


def _hash(value: bytes) -> str:
    if len(value) not in (0, SIZE):
        raise InternalError(f"a commitment has {SIZE} bytes, not {len(value)}")
    return f'"sha256:{value.hex()}"' if value else "null"


def _count(value: int | None) -> str:
    # An engine may report anything; what is no count is not kept as one.
    return "null" if value is None or not 0 <= value <= MAX_COUNT else str(value)


def _is_text(name: str) -> bool:
    return name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name)


def request_in(record: bytes) -> RequestId:
    """Return the request of a printed record of ours, without reading the rest."""
    # The first that is found is the field: names before it cannot hold a quotation mark that is not escaped.
    at = record.find(b'"requestId":"') + len(b'"requestId":"')
    return request_id(record[at : at + 36].decode("ascii", "replace"))


def parse(data: bytes, *, salt: bytes = b"", source: str = "") -> Record:
    """Parse a record in its one byte form, or raise `MalformedInput`; its salt is not in it."""
    record = from_document(digest.loads(data, source=source, limit=MAX_RECORD), salt=salt, source=source)
    if to_bytes(record) != data:
        raise MalformedInput("the record is not in its one byte form (docs/specs/segment.md)", source=source)
    return record


def from_document(document: Any, *, salt: bytes = b"", source: str = "") -> Record:
    """Return the record that a parsed JSON document holds."""
    match document:
        case {"admitted": dict() as first, "finished": dict() as second, **extra} if not extra:
            pass
        case _:
            raise MalformedInput("a record has the two halves admitted and finished", source=source)
    try:
        number, admitted = read_admitted(first, salt)
        record = Record(number, admitted, read_finished(second, admitted.request))
    except MalformedInput as error:
        raise MalformedInput(str(error), source=source) from error
    return record


_ADMITTED = frozenset(
    (
        "at",
        "deployment",
        "key",
        "model",
        "node",
        "number",
        "opening",
        "policy",
        "request",
        "requestId",
        "route",
        "tenant",
    )
)
_FINISHED = frozenset(
    ("at", "because", "chain", "completionTokens", "events", "outcome", "promptTokens", "response", "status")
)


def read_admitted(document: dict[str, Any], salt: bytes = b"") -> tuple[int, Admitted]:
    """Return the number and the admission that a parsed half holds."""
    if document.keys() != _ADMITTED:
        raise MalformedInput("an admission has the fields " + ", ".join(sorted(_ADMITTED)))
    number = _number(document["number"], "the number of an admission", least=1)
    terms = Terms(
        key=api_key_id(document["key"]),
        tenant=identifier.tenant(document["tenant"]),
        route=_enumerated(Route, document["route"]),
        deployment=deployment_name(document["deployment"]),
        model=_model(document["model"]),
        node=_name(document["node"]),
        policy=_digest(document["policy"]),
    )
    return number, Admitted(
        request=request_id(document["requestId"]),
        at=from_text(document["at"]),
        terms=terms,
        request_commitment=_digest(document["request"]).value,
        salt=salt,
        opening_commitment=_digest(document["opening"]).value,
    )


def read_finished(document: dict[str, Any], request: RequestId) -> Finished:
    """Return the finish of `request` that a parsed half holds."""
    if document.keys() != _FINISHED:
        raise MalformedInput("a finish has the fields " + ", ".join(sorted(_FINISHED)))
    return Finished(
        request=request,
        at=from_text(document["at"]),
        outcome=_enumerated(Outcome, document["outcome"]),
        status=_number(document["status"], "a status", most=MAX_STATUS),
        response_commitment=_optional_hash(document["response"]),
        events=_number(document["events"], "the number of events"),
        chain=_optional_hash(document["chain"]),
        prompt_tokens=_optional_number(document["promptTokens"]),
        completion_tokens=_optional_number(document["completionTokens"]),
        because=_enumerated(Because, document["because"]),
    )


def _model(value: Any) -> ServedModel:
    match value:
        case {"basis": str() as basis, "digest": str() | None as text, "name": str() as name, **extra} if not extra:
            return ServedModel(_name(name), None if text is None else _digest(text), _enumerated(Basis, basis))
        case _:
            raise MalformedInput("a served model has the fields basis, digest and name")


def _name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise MalformedInput(f"a name in a record is text of at most {MAX_NAME} characters")
    return value


def _digest(value: Any) -> Digest:
    if not isinstance(value, str) or not value.startswith("sha256:"):
        raise MalformedInput("a digest in a record is written sha256: and 64 hexadecimal digits")
    return Digest.parse(value)


def _optional_hash(value: Any) -> bytes:
    return b"" if value is None else _digest(value).value


def _number(value: Any, what: str, *, least: int = 0, most: int = MAX_COUNT) -> int:
    if type(value) is not int or not least <= value <= most:
        raise MalformedInput(f"{what} is an integer from {least} to {most}")
    return value


def _optional_number(value: Any) -> int | None:
    return None if value is None else _number(value, "a number of tokens")


def _enumerated(kind: type[Kind], value: Any) -> Kind:
    for member in kind:
        if member.value == value:
            return member
    raise MalformedInput(f"{str(value)[:40]!r} is none of: " + ", ".join(repr(member.value) for member in kind))
