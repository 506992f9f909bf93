"""What is stated about backups of artifacts (docs/specs/predicates/backup.artifacts_made.md and its neighbour)."""

from collections.abc import Callable, Mapping
from typing import Any

from ringfence.artifacts.statements import count, flag, one_of, shaped, tagged
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft, Statement, Strength, Subject
from ringfence.workloads.backups.making import Made
from ringfence.workloads.backups.model import Kind
from ringfence.workloads.backups.restoring import Restored, Stated

MADE = PredicateName("backup.artifacts_made")
RESTORED = PredicateName("backup.artifacts_restored")
LISTED = 50
LONGEST = 2**31  # seconds


def made(tenant: Tenant, done: Made, kind: str, places: Mapping[str, str], *, off_host: bool) -> Draft:
    """State that a backup was made; where it lies goes into the details."""
    datasets = sum(thing.kind is Kind.DATASET for thing in done.index.things)
    claims = {
        "index": str(done.digest),
        "keysIndex": str(done.keys),
        "datasets": datasets,
        "models": len(done.index.things) - datasets,
        "files": done.index.files,
        "bytes": done.index.size,
        "bytesWritten": done.written,
        "missing": len(done.missing),
        "target": kind,
        "offHost": off_host,
    }
    details = {**places, "missing": list(done.missing[:LISTED])}
    return Draft(MADE, (Subject(f"backup/{tenant}", done.digest),), claims, Strength.OBSERVED, details)


def restored(tenant: Tenant, stated: Stated, done: Restored, lost: int, rto: int, rpo: int) -> Draft:
    """State what a drill came to, against the times that were declared for it."""
    claims = {
        "index": str(stated.index),
        "restored": done.restored,
        "datasets": done.datasets,
        "models": done.models,
        "damaged": done.damaged,
        "keys": done.keys,
        "keysMissing": done.keys_missing,
        "files": done.files,
        "bytes": done.bytes,
        "resumed": done.resumed,
        "seconds": done.seconds,
        "rtoSeconds": rto,
        "withinRto": done.restored and done.seconds <= rto,
        "lostSeconds": lost,
        "rpoSeconds": rpo,
        "withinRpo": done.restored and lost <= rpo,
    }
    details = {"failures": list(done.failures)} if done.failures else {}
    return Draft(RESTORED, (Subject(f"backup/{tenant}", stated.index),), claims, Strength.OBSERVED, details)


def _seconds(value: object) -> object:
    if count(value) > LONGEST:
        raise MalformedInput(f"it is at most {LONGEST} seconds")
    return value


_SHAPES: Mapping[PredicateName, Mapping[str, Callable[[object], object]]] = {
    MADE: {
        "index": tagged,
        "keysIndex": tagged,
        "datasets": count,
        "models": count,
        "files": count,
        "bytes": count,
        "bytesWritten": count,
        "missing": count,
        "target": one_of("folder", "remote"),
        "offHost": flag,
    },
    RESTORED: {
        "index": tagged,
        "restored": flag,
        "datasets": count,
        "models": count,
        "damaged": count,
        "keys": count,
        "keysMissing": count,
        "files": count,
        "bytes": count,
        "resumed": flag,
        "seconds": _seconds,
        "rtoSeconds": _seconds,
        "withinRto": flag,
        "lostSeconds": _seconds,
        "rpoSeconds": _seconds,
        "withinRpo": flag,
    },
}


def claims_of(statement: Statement, expected: PredicateName) -> Mapping[str, Any]:
    """Return the claims of a statement if it is one of ours and does not contradict itself."""
    if statement.predicate != expected:
        raise MalformedInput(f"this address takes {expected}, not {statement.predicate}")
    if statement.issuance.strength is not Strength.OBSERVED:
        raise Refused(f"{expected} is observed, not {statement.issuance.strength.text}")
    claims = shaped(statement, _SHAPES[expected])
    about = [(subject.name, str(subject.digest)) for subject in statement.subjects]
    if about != [(f"backup/{statement.issuance.tenant}", claims["index"])]:
        raise MalformedInput("the statement's one subject is the backup that its claims name")
    if expected == RESTORED:
        _check_verdicts(claims)
    return claims


def _check_verdicts(claims: Mapping[str, Any]) -> None:
    whole = bool(claims["datasets"] + claims["models"]) and not claims["damaged"] and not claims["keysMissing"]
    in_time = claims["restored"] and claims["seconds"] <= claims["rtoSeconds"]
    recent = claims["restored"] and claims["lostSeconds"] <= claims["rpoSeconds"]
    if (claims["restored"] and not whole) or (claims["withinRto"], claims["withinRpo"]) != (in_time, recent):
        raise MalformedInput("the verdicts are not those that the counts and times demand")
