"""Exceptions as a fold over what people signed. What breaks a rule changes nothing. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ringfence.governance import reading
from ringfence.governance.exceptions import statements
from ringfence.governance.exceptions.model import Approval, ControlException, Ended, ExceptionId, State
from ringfence.governance.signed import Said, agrees
from ringfence.kernel.errors import MalformedInput


def fold(said: Iterable[Said]) -> dict[ExceptionId, ControlException]:
    """Return every exception that anybody asked for."""
    found: dict[ExceptionId, ControlException] = {}
    asked: dict[ExceptionId, Said] = {}
    for one in said:
        try:
            changed = _changed(found, asked, one)
        except MalformedInput:
            continue
        if changed is not None:
            found[changed.id] = changed
            asked.setdefault(changed.id, one)
    return found


def _changed(
    found: Mapping[ExceptionId, ControlException], asked: Mapping[ExceptionId, Said], one: Said
) -> ControlException | None:
    if one.predicate == statements.REQUESTED:
        wanted = statements.parse_requested(one.claims, one.details)
        fits = wanted.id not in found and reading.runs(wanted.until, one.at.date())
        return ControlException(wanted, one.by, one.at, one.envelope, (one.entry,)) if fits else None
    if one.predicate == statements.APPROVED:
        name, request = statements.parse_approved(one.claims)
        known = found.get(name)
        if known is None or known.request != request or known.state(one.at) is not State.WAITING:
            return None
        return _approved(known, asked[name], one)
    name, reason = statements.parse_ended(one.claims, one.details)
    known = found.get(name)
    if known is None or known.state(one.at) not in (State.WAITING, State.IN_FORCE):
        return None
    return replace(known, ended=Ended(one.by, one.at, reason), entries=(*known.entries, one.entry))


def _approved(known: ControlException, first: Said, one: Said) -> ControlException | None:
    if not agrees(one, first, (known.wanted.owner,)):
        return None
    approval = Approval(one.by, one.at, one.entry, one.young(first))
    return replace(known, approval=approval, entries=(*known.entries, one.entry))
