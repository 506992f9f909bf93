"""Which models a tenant has signed and scanned: a fold over the log, so that the log is the only place that knows."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ringfence.artifacts.models import statements
from ringfence.artifacts.models.keys import PublicKey, parse_public
from ringfence.artifacts.models.model import ModelId, Recorded, Verdict, model_id
from ringfence.artifacts.models.ports import Logged
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, RingfenceError
from ringfence.kernel.evidence import TRUSTED
from ringfence.kernel.identifier import KeyId

PREDICATES = (statements.SIGNED, statements.SCAN, statements.IMPORTED)


def fold(logged: Iterable[Logged]) -> list[Recorded]:
    """Return the newest signed version of every model, with the newest scan of that version, by name.

    What nobody's trusted key stands for, and what is not as the predicate's page has it, is left out.
    """
    signed: dict[ModelId, Recorded] = {}
    scans: dict[tuple[ModelId, Digest], tuple[Verdict, int, int]] = {}
    for one in logged:
        statement = one.envelope.statement
        try:
            claims = statements.claims_of(statement, statement.predicate) if one.standing == TRUSTED else None
        except RingfenceError:
            claims = None
        if claims is None:
            continue
        if statement.predicate == statements.SIGNED:
            signed[claims["model"]] = _recorded(one, claims)
        elif statement.predicate == statements.SCAN:
            found = Verdict(claims["verdict"]), int(claims["noted"]), one.entry
            scans[claims["model"], statement.subjects[0].digest] = found
    joined = [_joined(model, scans.get((model.model, model.digest))) for model in signed.values()]
    return sorted(joined, key=lambda model: (model.name, model.model))


def _recorded(one: Logged, claims: Any) -> Recorded:
    return Recorded(
        model=claims["model"],
        name=_name(one),
        digest=one.envelope.statement.subjects[0].digest,
        root=Digest.parse(claims["root"]),
        files=claims["files"],
        bytes=claims["bytes"],
        signer=claims["keyHint"],
        public_key=claims["publicKey"],
        key_custody=claims["keyCustody"],
        entry=one.entry,
    )


def _joined(model: Recorded, scan: tuple[Verdict, int, int] | None) -> Recorded:
    return model if scan is None else replace(model, scan=scan[0], noted=scan[1], scan_entry=scan[2])


def _name(one: Logged) -> str:
    return str(one.opening.details.get("name", "")) if one.opening else ""


def names(logged: Iterable[Logged]) -> dict[str, ModelId]:
    """Return the id of every name that was signed or scanned under."""
    found: dict[str, ModelId] = {}
    for one in logged:
        claims = one.envelope.statement.claims
        if one.standing == TRUSTED and (name := _name(one)):
            with suppress(MalformedInput):
                found.setdefault(name, model_id(claims.get("model")))
    return found


def check_name(known: dict[str, ModelId], name: str, model: ModelId) -> None:
    """Raise `Conflict` where the name is another model's, or the model has another name."""
    owner = known.get(name, model)
    if owner != model:
        raise Conflict(f"the name {name} belongs to model {owner}; sign a new version of that one")
    other = next((called for called, owned in known.items() if owned == model and called != name), None)
    if other is not None:
        raise Conflict(f"this model is recorded under the name {other}, not {name}")


def trusted_keys(logged: Iterable[Logged], in_force: Callable[[KeyId], bool]) -> list[PublicKey]:
    """Return the keys with which operators signed models, each once; those of people who left do not count any more."""
    pems: dict[str, None] = {}
    for one in logged:
        statement = one.envelope.statement
        if one.standing != TRUSTED or statement.predicate != statements.SIGNED or not in_force(one.envelope.signer):
            continue
        with suppress(RingfenceError):
            pems.setdefault(statements.claims_of(statement, statements.SIGNED)["publicKey"])
    return [parse_public(pem.encode()) for pem in pems]


def to_json(model: Recorded) -> dict[str, Any]:
    """Return the form in which the API and every front end show a model."""
    return {
        "model": model.model,
        "name": model.name,
        "digest": str(model.digest),
        "root": str(model.root),
        "files": model.files,
        "bytes": model.bytes,
        "signer": model.signer,
        "public_key": model.public_key,
        "key_custody": model.key_custody,
        "entry": model.entry,
        "scan": model.scan.value if model.scan else None,
        "noted": model.noted,
        "scan_entry": model.scan_entry,
    }


def id_in(document: Any, name: str) -> ModelId | None:
    """Return the id under which the API knows a name; raise `MalformedInput` where this is not its answer."""
    match document:
        case {"names": dict() as known}:
            return model_id(known[name]) if name in known else None
        case _:
            raise MalformedInput("the answer does not list models; is this the API of Ringfence?")
