"""The technical documentation of one system: nine points, each sentence declared or from a record. Pure.

No point is filled in for anybody: where nothing is stated, the document says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ringfence.exports.annexiv.declaration import SIMPLIFIED, Declaration, Sentence
from ringfence.exports.annexiv.points import CYBERSECURITY, TEST, Point, points
from ringfence.exports.annexiv.telling import found, record, told
from ringfence.exports.model import Json
from ringfence.incidents.document import visible
from ringfence.kernel.clock import from_text, to_text
from ringfence.kernel.errors import NotFound, Refused
from ringfence.kernel.identifier import LogOrigin, PredicateName, Tenant
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations.model import Obligation
from ringfence.obligations.placeholders import Problem
from ringfence.obligations.records import Records

FORMAT = "ringfence.annex-iv/1"
CLASSIFIED = PredicateName("ai.classification")
ENTITY = PredicateName("entity.classification")
PROVISION = "ai-11"  # of the catalogue
MISSING = "nothing stated"
NOTICE = (
    "Drawn up from a signed log and from what people declared; nobody has approved it by this document alone. A "
    "sentence marked declared is the word of its author. One marked documented is the word of whoever signed the "
    "record, one marked observed was stated by a program that the provider runs. Records show who stated what, in "
    "which order and when: not that it is true, nor that it is enough for an authority."
)
_HIGH = frozenset({"provider:high_risk_annex_I", "provider:high_risk_annex_III"})
_SMALL = frozenset({"micro", "small", "medium"})


@dataclass(frozen=True, slots=True)
class Basis:
    """What the document is made from."""

    tenant: Tenant
    log: LogOrigin
    records: Records
    all_entries: Mapping[int, LoggedStatement]  # that a sentence may rest on, whatever their type
    provision: Obligation
    as_of: datetime


def document(declared: Declaration, basis: Basis) -> Json:
    """Return the whole document.

    Raises:
        NotFound: no signed scope classifies the system.
        Refused: the organisation is not its provider, or the window of evidence is still open.
    """
    scope = _scope(declared, basis)
    _check_window(declared, basis)
    made = [_point(point, declared, basis) for point in points()]
    evidence = [row["record"]["recorded_at"] for point in made for row in point["recorded"]]
    until = max(evidence, default=None)
    if until is not None and from_text(until) >= basis.as_of:
        raise Refused("the conclusion has to be later than the last record; ask again")
    return {
        "format": FORMAT,
        "title": f"Technical documentation of {_name(scope)}",
        "notice": NOTICE,
        "provision": _provision(basis.provision),
        "tenant": basis.tenant,
        "log": basis.log,
        "demo": basis.records.demo,
        "system": _system(scope, declared),
        "extent": _extent(declared, basis),
        "made_at": to_text(basis.as_of),
        "evidence_until": until,
        "window": {"from": _text(declared.since), "to": _text(declared.until)},
        "points": made,
        "counts": _counts(made),
        "missing": [point["point"] for point in made if point["state"] == "missing"],
    }


def problems(declared: Declaration, basis: Basis) -> tuple[Problem, ...]:
    """Return what keeps the document from leaving: of the texts, and of days and records that they name."""
    found_ = list(declared.problems)
    for point, sentences in declared.points.items():
        for sentence in sentences:
            found_ += [Problem(sentence.line, f"{point}.{name}", said) for name, said in _of(sentence, basis)]
    return tuple(sorted(found_, key=lambda one: (one.line, one.field)))


def _of(sentence: Sentence, basis: Basis) -> Iterator[tuple[str, str]]:
    if sentence.on > basis.as_of.date():
        yield "date", f"{sentence.on} has not come yet"
    for entry in sentence.rests_on:
        logged = basis.all_entries.get(entry)
        if logged is None:
            yield "rests_on", f"there is no record {entry} of yours"
        elif flaw := basis.records.flaw(logged):
            yield "rests_on", f"record {entry} counts for nothing: {flaw}"
        elif sentence.on < logged.recorded_at.date():
            yield "date", f"it concludes from record {entry}, which is of {logged.recorded_at.date()}: later"


def _scope(declared: Declaration, basis: Basis) -> LoggedStatement:
    run = basis.records.trail(CLASSIFIED).by_subject.get(f"system/{declared.system}", ())
    if not run:
        raise NotFound(f"no signed scope classifies the system {declared.system}: `ringfence scope FILE --sign`")
    claims = run[-1].envelope.statement.claims
    if not any(one.startswith("provider:") for one in _roles(claims)):
        said = f"by entry {run[-1].entry} the organisation is {claims.get('role')}"
        raise Refused(f"technical documentation is drawn up by the provider; {said}")
    return run[-1]


def _roles(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return every role with its class, `role:class`."""
    gravest = f"{claims.get('role')}:{claims.get('class')}"
    return frozenset({gravest, *(one for one in claims.get("roles", ()) if isinstance(one, str))})


def _check_window(declared: Declaration, basis: Basis) -> None:
    if declared.until is not None and basis.as_of.date() <= declared.until:
        raise Refused(f"the window of evidence closes with {declared.until}; no report is made before")
    if declared.since and declared.until and declared.since > declared.until:
        raise Refused("the window of evidence ends before it begins")


def _system(scope: LoggedStatement, declared: Declaration) -> Json:
    claims = scope.envelope.statement.claims
    high = bool(_HIGH & _roles(claims))
    by = visible(str(claims.get("provision", "")))
    said = "" if high else f"by the signed scope ({by}) it is no high-risk system of this provider: Article 11 does not"
    return {
        "id": declared.system,
        "name": _name(scope),
        "role": "provider",
        "class": str(claims.get("class", "")),
        "basis": by,
        "applies_from": claims.get("appliesFrom"),
        "asked_for": high,
        "because": said,
        "record": record(scope),
    }


def _name(scope: LoggedStatement) -> str:
    details = scope.opening.details if scope.opening else {}
    return visible(str(details.get("name") or scope.envelope.statement.subjects[0].name))


def _extent(declared: Declaration, basis: Basis) -> Json:
    """Return whether it is full; the simplified form is for SMEs and small mid-caps, by what the scope says of size."""
    if declared.form != SIMPLIFIED:
        return {"form": declared.form, "because": "", "by": "", "entry": None}
    run = basis.records.trail(ENTITY).run
    size = str(run[-1].envelope.statement.claims.get("sizeClass", "")) if run else ""
    if size in _SMALL:
        by = f"the signed scope says that the organisation is {size}"
    else:
        by = "no signed scope says that the organisation is an SME; whether it is a small mid-cap is declared only"
    entry = run[-1].entry if size in _SMALL else None
    return {"form": SIMPLIFIED, "because": visible(declared.simplified_because), "by": by, "entry": entry}


def _provision(one: Obligation) -> Json:
    return {
        "act": one.act,
        "provision": f"{one.provision}, Annex IV",
        "paraphrase": one.paraphrase,
        "source": one.source,
        "verified_on": one.verified_on.isoformat(),
    }


def _point(point: Point, declared: Declaration, basis: Basis) -> Json:
    things = [one for telling in point.evidence for one in found(telling, declared, basis.tenant, basis.records)]
    recorded = [told(one, one.counts) for one in things if one.counts is not None]
    said = [_declared(sentence) for sentence in declared.points.get(point.id, ())]
    content = bool(said) or any(row["sentences"] for row in recorded)
    return {
        "point": point.id,
        "heading": point.heading,
        "state": "stated" if content else "missing",
        "said": "" if content else f"Point {point.id.removeprefix('iv-')}: {MISSING}.",
        "declared": said,
        "recorded": recorded,
        "set_aside": [record(logged) | {"why": why} for one in things for logged, why in one.aside],
    }


def _declared(sentence: Sentence) -> Json:
    return {
        "mark": "declared",
        "text": visible(sentence.text),
        "author": visible(sentence.author),
        "date": sentence.on.isoformat(),
        "rests_on": list(sentence.rests_on),
    }


def _counts(made: list[Json]) -> Json:
    rows: list[Any] = [row for point in made for row in point["recorded"]]
    sentences = sum(len(row["sentences"]) for row in rows)
    declared = sum(len(point["declared"]) for point in made)
    return {
        "sentences": sentences + declared,
        "declared": declared,
        "from_records": sentences,
        "records": len({row["record"]["entry"] for row in rows}),
        "test_reports": len({row["record"]["entry"] for row in rows if TEST in row["tags"]}),
        "cybersecurity_records": len({row["record"]["entry"] for row in rows if CYBERSECURITY in row["tags"]}),
        "points_missing": sum(point["state"] == "missing" for point in made),
    }


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def answers(made: Json) -> Json:
    """Return what the document itself answers of the form `techdoc.complete`, by which a person signs it off."""
    counts = made["counts"]
    simplified = made["extent"]["form"] == SIMPLIFIED
    return {
        "extent": "simplified-for-size-with-reasons" if simplified else "full",
        "headings": [point["point"] for point in made["points"] if point["state"] == "stated"],
        "statements": counts["sentences"],
        "withoutSource": 0,
        "recordsGone": 0,
        "placeholders": 0,
        "testReports": counts["test_reports"],
        "cybersecurity": "described" if counts["cybersecurity_records"] else "not-described",
    }
