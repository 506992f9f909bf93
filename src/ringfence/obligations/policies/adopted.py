"""Which policies are in force: a fold over what people signed, compared with the status of now."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from ringfence.kernel.errors import InternalError
from ringfence.ledger.model import LoggedStatement
from ringfence.obligations.model import Catalog, Requirement
from ringfence.obligations.policies import checking, shelf, standing
from ringfence.obligations.policies.model import APPROVED, SIGNED, Adopted, Carried, Shown, Stand
from ringfence.obligations.records import Records
from ringfence.obligations.recount import recount
from ringfence.obligations.sieve import Sieve

_BODY = "management-body"
_EVER = datetime.max.replace(tzinfo=UTC)  # the records that are handed over end at their time already


def policies(records: Records, status: Mapping[str, Any], catalog: Catalog, day: date) -> tuple[Shown, ...]:
    """Return every type of policy with the version in force; `records` hold what was signed, flaws set aside."""
    return tuple(_shown(name, records, status, catalog, day) for name in checking.types())


def _shown(name: str, records: Records, status: Mapping[str, Any], catalog: Catalog, day: date) -> Shown:
    run = records.trail(SIGNED).by_subject.get(f"policy/{name}", ())
    found = _adopted(run[-1], records, status, catalog) if run else None
    rules = tuple(sorted(checking.wanted(name, catalog)))
    return Shown(name, shelf.title(name), rules, found, _stand(found, day))


def _adopted(logged: LoggedStatement, records: Records, status: Mapping[str, Any], catalog: Catalog) -> Adopted:
    claims = logged.envelope.statement.claims
    names = [name for name in _list(claims.get("observes")) if isinstance(name, str)]
    by = str(claims.get("approvedBy", ""))
    shown = _resolution(logged, records, catalog) if by == _BODY else None
    found = standing.standings(status, names)
    return Adopted(
        logged.entry,
        logged.recorded_at,
        str(claims.get("version", "")),
        by,
        _day(claims.get("nextReview")),
        shown,
        found,
    )


def _resolution(logged: LoggedStatement, records: Records, catalog: Catalog) -> int | None:
    """Return the newest decision of the body that carried and in which this version was shown, or its document was."""
    envelope, document = str(logged.envelope.digest), str(logged.envelope.statement.claims.get("document", ""))
    found = None
    for decision, opening in _carried(records, catalog):
        claims = opening.envelope.statement.claims
        if document in _list(claims.get("files")) or envelope in _list(claims.get("records")):
            found = decision.entry
    return found


def _carried(records: Records, catalog: Catalog) -> Iterator[tuple[LoggedStatement, LoggedStatement]]:
    """Yield each decision that carried by votes that people signed, counted again, with what opened its resolution."""
    decisions, openings, votes = (Sieve(rule, records, _EVER).every() for rule in _counting(catalog))
    signed = {str(logged.envelope.digest): logged for logged in openings}
    for decision in reversed(decisions):
        claims = decision.envelope.statement.claims
        opening = signed.get(str(claims.get("opening", "")))
        approved = claims.get("outcome") == "approved"
        if approved and opening is not None and not recount(decision, openings, votes).wrong:
            yield decision, opening


def _counting(catalog: Catalog) -> tuple[Requirement, Requirement, Requirement]:
    """Return the rules that say which decisions, openings and votes count."""
    rules = catalog.requirements
    for rule in rules.values():
        if rule.evidence == APPROVED and rule.recount:
            return rule, rules[rule.recount.opening], rules[rule.recount.votes]
    raise InternalError("no rule says how a decision of the management body is counted again")


def carried(records: Records, catalog: Catalog) -> tuple[Carried, ...]:
    """Return every document that the body approved by its own votes, as the openings of its resolutions name it."""
    found = []
    for decision, opening in _carried(records, catalog):
        details = opening.opening.details if opening.opening else {}
        salts = {one.get("digest"): one.get("salt", "") for one in _list(details.get("files")) if isinstance(one, dict)}
        files = map(str, _list(opening.envelope.statement.claims.get("files")))
        found += [Carried(digest, str(salts.get(digest, "")), decision.entry) for digest in files]
    return tuple(found)


def _stand(found: Adopted | None, day: date) -> Stand:
    if found is None:
        return Stand.NONE
    if found.contradicted:
        return Stand.CONTRADICTED
    return Stand.OVERDUE if found.next_review is not None and found.next_review < day else Stand.IN_FORCE


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else list(value) if isinstance(value, tuple) else []


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
