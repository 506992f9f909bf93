"""From statements to the oversight log and the table of training. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ringfence.governance.oversight.model import MANAGEMENT, NEWCOMER, Course, Shown, Trained
from ringfence.governance.resolutions.model import Member
from ringfence.governance.resolutions.statements import APPROVAL, OPENED
from ringfence.governance.signed import Logged
from ringfence.kernel.evidence import TRUSTED
from ringfence.kernel.identifier import PersonId, PredicateName
from ringfence.kernel.statement import KeyRole

REPORT = PredicateName("status.report")
PACK = PredicateName("report.exported")
AUDIT = PredicateName("audit.report")
TRAINING = PredicateName("training.record")
_BODY = ("management-body", "member-in-charge")
_WHOM = {"management-body": "the management body", "member-in-charge": "the member in charge"}


def shown(statements: Iterable[Logged]) -> list[Shown]:
    """Return what was handed to management, the newest first; statements that do not count are left out."""
    found = [line for logged in statements if _counts(logged) for line in _line(logged)]
    return sorted(found, key=lambda one: one.entry, reverse=True)


def _counts(logged: Logged) -> bool:
    """Tell whether somebody signed who may say so: a service counts votes, people state everything else."""
    wanted = KeyRole.CONTROL_PLANE if logged.envelope.statement.predicate == APPROVAL else KeyRole.OPERATOR
    return logged.standing == TRUSTED and logged.issuer is not None and logged.issuer.role == wanted


def _line(logged: Logged) -> Iterator[Shown]:
    statement, issuer = logged.envelope.statement, logged.issuer
    said = _WORDS.get(statement.predicate, _nothing)(statement.claims)
    if said is not None:
        what, whom, head = said
        yield Shown(logged.entry, logged.recorded_at, what, whom, head, issuer.person if issuer else None)


def _nothing(_: Mapping[str, Any]) -> None:
    return None


def _report(claims: Mapping[str, Any]) -> tuple[str, str, str] | None:
    if claims.get("receivedBy") not in _BODY:
        return None
    what = f"computed status of {claims.get('asOf')}: {claims.get('open')} of {claims.get('controls')} controls open"
    return what, _WHOM[claims["receivedBy"]], ""


def _pack(claims: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"a pack of the status of {claims.get('asOf')}", "whoever it was handed to", f"{claims.get('size')} entries"


def _audit(claims: Mapping[str, Any]) -> tuple[str, str, str] | None:
    if claims.get("reportedTo") not in _BODY:
        return None
    return f"the report of a review with {claims.get('findings')} findings", _WHOM[claims["reportedTo"]], ""


def _put(claims: Mapping[str, Any]) -> tuple[str, str, str]:
    words = ", ".join(map(str, claims.get("shown") or ())).replace("-", " ") or "the text alone"
    papers = len(claims.get("files") or ()) + len(claims.get("records") or ())
    more = f", and {papers} more {'paper' if papers == 1 else 'papers'}" if papers else ""
    whom = f"{len(claims.get('members') or ())} members, for a resolution to decide on"
    return f"{words}{more}", whom, f"{claims.get('headSize')} entries"


def _decided(claims: Mapping[str, Any]) -> tuple[str, str, str]:
    counted = f"{claims.get('inFavour')} agree, {claims.get('against')} disagree, {claims.get('abstained')} abstain"
    outcome = str(claims.get("outcome")).replace("-", " ")
    return f"a resolution was {outcome} ({counted})", f"{claims.get('voted')} of {claims.get('members')} members", ""


def _trained(claims: Mapping[str, Any]) -> tuple[str, str, str] | None:
    if claims.get("course") != MANAGEMENT:
        return None
    whom = f"{claims.get('completed')} of {claims.get('required')} members"
    return f"training held on {claims.get('heldOn')}", whom, ""


_WORDS: Mapping[PredicateName, Callable[[Mapping[str, Any]], tuple[str, str, str] | None]] = {
    REPORT: _report,
    PACK: _pack,
    AUDIT: _audit,
    OPENED: _put,
    APPROVAL: _decided,
    TRAINING: _trained,
}
KINDS = tuple(_WORDS)


def courses(statements: Iterable[Logged], fresh: timedelta | None) -> list[Course]:
    """Return the newest session of every course."""
    newest: dict[str, Course] = {}
    for logged in statements:
        claims = logged.envelope.statement.claims
        if _counts(logged) and logged.envelope.statement.predicate == TRAINING:
            name = str(claims.get("course"))
            newest[name] = _course(name, logged, claims, fresh)
    return [newest[name] for name in sorted(newest)]


def _course(name: str, logged: Logged, claims: Mapping[str, Any], fresh: timedelta | None) -> Course:
    issued = min(logged.envelope.statement.issuance.issued_at, logged.recorded_at)
    required, completed, late = (_whole(claims.get(key)) for key in ("required", "completed", "joinersLate"))
    held, due = str(claims.get("heldOn")), issued + fresh if fresh else None
    return Course(name, held, logged.entry, logged.recorded_at, required, completed, late, due)


def _whole(value: Any) -> int:
    return value if type(value) is int else 0


def trained(body: Mapping[PersonId, Member], held: Iterable[Course]) -> list[Trained]:
    """Return for each member of the body until when a session has to be recorded that counts for them."""
    session = next((one for one in held if one.course == MANAGEMENT), None)
    return [_member(one, session) for one in sorted(body.values(), key=lambda one: (one.name, one.id))]


def _member(one: Member, session: Course | None) -> Trained:
    since = session if session is not None and session.recorded_at >= one.since else None
    due = since.due if since is not None and since.complete and since.due else one.since + NEWCOMER
    return Trained(one.id, one.name, one.since, since, due)


def overdue(one: Trained, now: datetime) -> bool:
    """Tell whether a member should have been trained by now."""
    return one.due <= now
