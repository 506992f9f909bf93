"""The page of key releases: what is leased, what was denied and why, and what each node's evidence shows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.live import proof
from ringfence.frontends.page import Pages, View
from ringfence.kernel.actor import Person
from ringfence.kernel.evidence import Logged
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.keyrelease import shown, statements
from ringfence.keyrelease.model import Lease, LeaseState, PlaceKind, lease_id
from ringfence.keyrelease.service import KeyRelease

PAGE = "/releases"
MARKS = {"affirming": "satisfied", "warning": "pending", "contraindicated": "not-satisfied", "none": "not-applicable"}
STATES = {LeaseState.GRANTED: "pending", LeaseState.LIVE: "satisfied", LeaseState.ENDED: "not-applicable"}
APPRAISALS = 10
RELEASES = 500  # that are read: a lease of weeks has thousands, and a lease that ended before them shows no place


class Newest(Protocol):
    """What this page reads of the ledger."""

    def page(self, tenant: Tenant, *, limit: int, predicates: Iterable[PredicateName]) -> Sequence[Logged]:
        """Return a tenant's newest statements of some types, newest first."""


@dataclass(frozen=True, slots=True)
class Row:
    """A lease, with the two links behind it: what the device shows, and who says where it stands."""

    lease: Lease
    mark: str
    words: str  # what its strength means
    released: Logged | None
    place_kind: str
    country: str
    place_words: str
    register: str


@dataclass(frozen=True, slots=True)
class Appraised:
    """What the evidence of a node showed, claim by claim."""

    entry: int
    at: datetime
    node: str
    family: str
    strength: str
    acceptable: bool
    software_tpm: bool
    claims: tuple[tuple[str, str, str, str], ...]  # claim, level, mark, reason
    proof: Mapping[str, Any]


def appraised(logged: Logged) -> Appraised:
    """Return a statement `node.appraised` for the page; reasons that were erased are empty."""
    statement = logged.envelope.statement
    claims = statement.claims
    reasons = logged.opening.details.get("reasons", {}) if logged.opening else {}
    return Appraised(
        entry=logged.entry,
        at=logged.recorded_at,
        node=str(claims["node"]),
        family=str(claims["family"]),
        strength=statement.issuance.strength.text,
        acceptable=claims["acceptable"] is True,
        software_tpm=claims["softwareTpm"] is True,
        claims=tuple(
            (name, level, MARKS.get(level, "not-applicable"), str(reasons.get(name, "")))
            for name, level in claims["claims"].items()
        ),
        proof=proof(logged.entry, logged.envelope.digest, statement.issuance.strength.text),
    )


def row(lease: Lease, known: Mapping[str, Logged]) -> Row:
    """Return a lease with what its newest release says about the place; `known` is by lease."""
    released = known.get(lease.id)
    claims = released.envelope.statement.claims if released else {}
    kind = str(claims.get("placeKind", PlaceKind.NONE.value))
    return Row(
        lease=lease,
        mark=STATES[lease.state],
        words=shown.STRENGTH.get(lease.strength.text, ""),
        released=released,
        place_kind=kind,
        country=str(claims.get("place", "")),
        place_words=shown.PLACE.get(kind, ""),
        register=str(claims.get("register", "")),
    )


def router(service: KeyRelease, pages: Pages, log: Newest) -> APIRouter:
    """Return the page and its form."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def page(request: Request, caller: Annotated[Person, Depends(require("release.read"))]) -> Response:
        """Show leases, denials and appraisals."""
        released = log.page(caller.tenant, limit=RELEASES, predicates=(statements.RELEASED,))
        known = {str(one.envelope.statement.claims["lease"]): one for one in reversed(released)}  # the newest of each
        leases = [row(one, known) for one in service.leases(caller.tenant)]
        newest = log.page(caller.tenant, limit=APPRAISALS, predicates=(statements.APPRAISED,))
        denials = [
            (one, [statements.sentence(code) for code in one.because]) for one in service.refusals(caller.tenant)
        ]
        return pages.respond(
            request,
            "releases.html",
            View("Which node has which key, and what did it show?", "ringfence release list", caller),
            leases=leases,
            living=sum(one.lease.state is not LeaseState.ENDED for one in leases),
            denials=denials,
            appraisals=[appraised(one) for one in newest],
            not_shown=shown.DOES_NOT_SHOW,
        )

    @routes.post(PAGE + "/leases/{lease}/end")
    def end(lease: str, caller: Annotated[Person, Depends(require("release.end"))]) -> Response:
        """End a lease."""
        service.leasing.end_for(caller, lease_id(lease))
        return RedirectResponse(PAGE, status_code=303)

    return routes
