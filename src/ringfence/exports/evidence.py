"""Signed statements as OSCAL observations, each with the file of its envelope and the digest that the log holds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ringfence.exports.model import Facts, Json
from ringfence.exports.obligations import method_of
from ringfence.exports.parts import identify, line, props
from ringfence.kernel.clock import to_text
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations.results import Board, RequirementResult

FOLDER = "evidence"
COUNTS = "counts"
ABOUT_SCOPE = "says who the tenant is"


@dataclass(frozen=True, slots=True)
class Cited:
    """A statement that a finding names, and whether it counted; if not, why."""

    entry: int
    why: str = COUNTS


def file_of(entry: int) -> str:
    """Return the name of the file that holds the envelope of an entry."""
    return f"{FOLDER}/{entry}.json"


def cited(part: RequirementResult) -> tuple[Cited, ...]:
    """Return the statements that one requirement came to its verdict by, those that counted first."""
    counted = [Cited(support.entry) for support in part.rests_on]
    known = {one.entry for one in counted}
    aside = {one.entry: Cited(one.entry, f"does not count: {one.why}") for one in part.ignored}
    return (*counted, *(aside[entry] for entry in sorted(aside.keys() - known)))


def entries(board: Board) -> tuple[int, ...]:
    """Return every entry that an export of a board names, in the order of the log."""
    results = board.controls
    parts = {one.entry for result in results for part in result.requirements for one in cited(part)}
    scope = {entry for duty in board.duties for entry in duty.entries}
    return tuple(sorted(parts | scope | {entry for result in results for entry in result.entries}))


def related(facts: Facts, found: Iterable[Cited]) -> list[Json]:
    """Return references to observations, each once; one that counted anywhere counts."""
    best: dict[int, Cited] = {}
    for one in found:
        if one.entry not in best or one.why == COUNTS:
            best[one.entry] = one
    return [
        {"observation-uuid": observation_uuid(facts.statements[entry]), "remarks": best[entry].why}
        for entry in sorted(best)
    ]


def observations(facts: Facts) -> Iterator[Json]:
    """Yield an observation for every statement that an export names."""
    return (_observation(facts.statements[entry]) for entry in entries(facts.board))


def resources(facts: Facts) -> list[Json]:
    """Return the files of the envelopes, with their digests, as back matter."""
    return [_resource(facts.statements[entry]) for entry in entries(facts.board)]


def files(facts: Facts) -> dict[str, bytes]:
    """Return the signed envelopes, byte for byte as the log took them in; their digests are those of its entries."""
    return {file_of(entry): facts.statements[entry].envelope.data for entry in entries(facts.board)}


def observation_uuid(logged: LoggedStatement) -> str:
    """Return the UUID of the observation of a statement; its tenant is inside the envelope."""
    return identify("observation", str(logged.envelope.digest))


def _observation(logged: LoggedStatement) -> Json:
    statement = logged.envelope.statement
    issuance = statement.issuance
    subjects = ", ".join(subject.name for subject in statement.subjects)
    digest = str(logged.envelope.digest)
    return {
        "uuid": observation_uuid(logged),
        "title": line(f"Entry {logged.entry}: {statement.predicate}"),
        "description": f"Statement {statement.predicate} about {subjects}, signed by key {issuance.issuer}.",
        "props": [
            *props(ledger_entry=logged.entry, envelope_digest=digest, evidence=statement.predicate),
            *props(strength=issuance.strength.text, issuer=issuance.issuer, standing=logged.standing.value),
            *props(recorded_at=to_text(logged.recorded_at), late=issuance.late, demo=issuance.demo),
        ],
        "methods": [method_of(issuance.strength)],
        "relevant-evidence": [
            {
                "href": f"#{_resource_uuid(logged)}",
                "description": "The signed envelope, as the log took it in.",
                "props": props(envelope_digest=digest),
            }
        ],
        "collected": to_text(issuance.issued_at),
    }


def _resource_uuid(logged: LoggedStatement) -> str:
    return identify("envelope", str(logged.envelope.digest))


def _resource(logged: LoggedStatement) -> Json:
    hashes = [{"algorithm": "SHA-256", "value": logged.envelope.digest.hex}]
    return {
        "uuid": _resource_uuid(logged),
        "title": f"Envelope of entry {logged.entry}",
        "props": props(ledger_entry=logged.entry),
        "rlinks": [{"href": file_of(logged.entry), "media-type": "application/json", "hashes": hashes}],
    }
