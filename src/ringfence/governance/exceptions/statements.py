"""What is signed about exceptions: control, end and approval are claims, reasons are details. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from ringfence.governance import reading
from ringfence.governance.exceptions.model import ExceptionId, Wanted, exception_id
from ringfence.governance.signed import subject
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength

REQUESTED = PredicateName("exception.requested")
APPROVED = PredicateName("exception.approved")
ENDED = PredicateName("exception.ended")
ALL = (REQUESTED, APPROVED, ENDED)
_REQUEST = ("exception", "control", "owner", "compensating", "until")


def requested(wanted: Wanted) -> Draft:
    """Return what somebody signs who asks for an exception."""
    claims = {
        "exception": wanted.id,
        "control": wanted.control,
        "owner": wanted.owner,
        "compensating": list(wanted.compensating),
        "until": str(wanted.until),
    }
    return Draft(REQUESTED, (subject(wanted.id),), claims, Strength.DOCUMENTED, {"reason": wanted.reason})


def approved(name: ExceptionId, request: Digest) -> Draft:
    """Return what another person signs who agrees to exactly that request."""
    return Draft(APPROVED, (subject(name),), {"exception": name, "request": str(request)}, Strength.DOCUMENTED)


def ended(name: ExceptionId, reason: str) -> Draft:
    """Return what somebody signs who ends an exception, or takes the request back."""
    return Draft(ENDED, (subject(name),), {"exception": name}, Strength.DOCUMENTED, {"reason": reason})


def parse_requested(
    claims: Mapping[str, Any], details: Mapping[str, Any], controls: Collection[str] | None = None
) -> Wanted:
    """Read a request; the controls that it names are looked up only where they are given."""
    read = reading.fields(dict(claims), "claims", _REQUEST)
    others = read["compensating"] if isinstance(read["compensating"], list) else []
    known = [one for one in (read["control"], *others) if isinstance(one, str)] if controls is None else controls
    (control,) = reading.names([read["control"]], "control", known)
    owner = reading.person(read["owner"], "owner")
    if owner is None:
        raise MalformedInput("an exception has an owner", source="owner")
    compensating = reading.names(read["compensating"], "compensating", known)
    if control in compensating:
        raise MalformedInput("a control does not stand in its own place", source="compensating")
    return Wanted(
        exception_id(read["exception"]),
        control,
        owner,
        compensating,
        reading.day(read["until"], "until"),
        str(details.get("reason", "")),
    )


def parse_approved(claims: Mapping[str, Any]) -> tuple[ExceptionId, Digest]:
    """Read an approval."""
    read = reading.fields(dict(claims), "claims", ("exception", "request"))
    return exception_id(read["exception"]), Digest.parse(read["request"])


def parse_ended(claims: Mapping[str, Any], details: Mapping[str, Any]) -> tuple[ExceptionId, str]:
    """Read the end of an exception."""
    read = reading.fields(dict(claims), "claims", ("exception",))
    return exception_id(read["exception"]), str(details.get("reason", ""))
