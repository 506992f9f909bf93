"""The ledger over HTTP: heads, statements, proofs; and statements that operators sign."""

import base64
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import PlainTextResponse

from ringfence.frontends.http import PostedStatement, require
from ringfence.kernel import digest
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import to_text
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import NotFound, Refused
from ringfence.kernel.evidence import Acknowledgement, Recorder
from ringfence.kernel.identifier import PredicateName, key_id
from ringfence.ledger import proof
from ringfence.ledger.entry import MAX_ENTRY
from ringfence.ledger.model import OPERATOR, LoggedStatement, Standing
from ringfence.ledger.service import Ledger

# What a person may post as it is, to whoever takes it after the checks of its kind. Every other predicate has a route
# of its own, whose service decides whether the state allows it.
Takers = Mapping[PredicateName, Callable[[Person, Envelope, Opening | None], Acknowledgement]]


def shown(logged: LoggedStatement) -> dict[str, Any]:
    """Return what a front end shows of a statement."""
    statement = logged.envelope.statement
    issuance = statement.issuance
    return {
        "entry": logged.entry,
        "recorded_at": to_text(logged.recorded_at),
        "predicate": statement.predicate,
        "subjects": [{"name": s.name, "digest": str(s.digest)} for s in statement.subjects],
        "claims": dict(statement.claims),
        "strength": issuance.strength.text,
        "issuer": issuance.issuer,
        "role": logged.issuer.role.value if logged.issuer else None,
        "standing": logged.standing.value,
        "existed": _existed(logged),
        "sequence": issuance.sequence,
        "issued_at": to_text(issuance.issued_at),
        "demo": issuance.demo,
        "late": issuance.late,
        "envelope": str(logged.envelope.digest),
    }


def _existed(logged: LoggedStatement) -> dict[str, Any] | None:
    """Return on whose word it rests that a statement is older than the end of its key; None where that goes on."""
    issuer, vouched = logged.issuer, logged.vouched
    if issuer is None or issuer.ends_at is None or logged.standing is Standing.REVOKED:
        return None
    by = {"party": vouched.party, "at": to_text(vouched.at)} if vouched else {"party": OPERATOR, "at": None}
    return {"before": to_text(issuer.ends_at), **by}


def router(
    ledger: Ledger, recorder: Recorder, transaction: Callable[[], AbstractContextManager[None]], takers: Takers
) -> APIRouter:
    """Return the routes of the ledger."""
    routes = APIRouter(tags=["ledger"])

    @routes.get("/ledger/head")
    def head(
        caller: Annotated[Person, Depends(require("ledger.read"))],
        size: Annotated[int | None, Query(ge=1, le=MAX_ENTRY)] = None,
    ) -> dict[str, Any]:
        """Return the newest checkpoint, or the one of exactly this size."""
        signed, keys = ledger.head() if size is None else ledger.checkpoint(size), ledger.keys()
        return {
            "log": ledger.log,
            "tenant": caller.tenant,
            "size": signed.checkpoint.size,
            "root": signed.checkpoint.root.hex(),
            "signed_at": to_text(signed.signed_at),
            "note": signed.note,
            "log_keys": list(keys.of(signed.checkpoint.size)),
            "first_log_keys": list(keys.first),
            "successions": [digest.loads(envelope.data) for envelope in ledger.successions(caller.tenant)],
            "root_key": base64.b64encode(ledger.root_key).decode(),
        }

    @routes.get("/ledger/proofs/{entry}", response_class=PlainTextResponse)
    def prove(
        entry: Annotated[int, Path(ge=0, lt=MAX_ENTRY)], caller: Annotated[Person, Depends(require("evidence.read"))]
    ) -> str:
        """Return the tlog-proof of one of the tenant's statements."""
        logged = _own(ledger, caller, entry)
        signed = ledger.head()
        path = ledger.inclusion_proof(logged.entry, signed.checkpoint.size)
        return str(proof.LogProof(logged.entry, path, signed.note, logged.leaf))

    _recording(routes, ledger, recorder, transaction, takers)
    return routes


def _recording(
    routes: APIRouter,
    ledger: Ledger,
    recorder: Recorder,
    transaction: Callable[[], AbstractContextManager[None]],
    takers: Takers,
) -> None:
    @routes.get("/sources/{key}")
    def source(key: str, caller: Annotated[Person, Depends(require("evidence.read"))]) -> dict[str, Any]:
        """Return the place of a key's next statement."""
        return {"key": key, "next": ledger.outbox.next_sequence(caller.tenant, key_id(key))}

    @routes.post("/statements", status_code=201)
    def add(body: PostedStatement, caller: Annotated[Person, Depends(require("statement.add"))]) -> dict[str, Any]:
        """Record a statement that the caller signed."""
        envelope, opening = body.parsed()
        take = takers.get(envelope.statement.predicate)
        if take is None:
            raise Refused(f"{envelope.statement.predicate} is recorded by the act that it states, not posted by hand")
        return {"statement": take(caller, envelope, opening).to_json()}

    @routes.post("/ledger/heads", status_code=201)
    def export(body: PostedStatement, caller: Annotated[Person, Depends(require("ledger.export"))]) -> dict[str, Any]:
        """Record that the caller took a head outside."""
        envelope, opening = body.parsed()
        ledger.check_exported(envelope.statement)
        with transaction():
            done = recorder.admit(envelope, opening, by=caller)
        return {"statement": ledger.published(done.envelope).to_json()}


def _own(ledger: Ledger, caller: Person, entry: int) -> LoggedStatement:
    found = ledger.page(caller.tenant, before=entry + 1, limit=1)
    if not found or found[0].entry != entry:
        raise NotFound(f"this tenant has no statement at entry {entry}")
    return found[0]
