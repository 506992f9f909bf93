"""The Nodes pages: which nodes run, whether one is cut off, and what proves it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import RedirectResponse, Response

from ringfence.compute import shown, statements
from ringfence.compute.model import Node, Quarantine, Release, ReleaseState
from ringfence.compute.quarantine import REQUEST_LIFE
from ringfence.compute.service import Compute
from ringfence.frontends import cookies
from ringfence.frontends.http import require
from ringfence.frontends.live import Live, proof
from ringfence.frontends.page import Pages, Prepare, View
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict
from ringfence.kernel.evidence import Log, Logged
from ringfence.kernel.identifier import PredicateName, Tenant

Reader = Annotated[Person, Depends(require("node.read"))]
Signer = Annotated[Person, Depends(require("act.sign"))]  # what is signed asks for an action of its own
Fields = Annotated[dict[str, str], Depends(cookies.form_of)]
WORDS: Mapping[PredicateName, str] = {
    statements.REQUESTED: "asked for",
    statements.STARTED: "answers by SSH with its own key",
    statements.FAILED: "did not come up, or is gone",
    statements.STOPPED: "stopped, nothing is left of it",
    statements.CERTIFICATE: "a person was handed a certificate",
    statements.QUARANTINE_REQUESTED: "to be cut off",
    statements.COLLECTED: "volatile evidence collected",
    statements.CONFIRMED: "cut off, and probed",
    statements.QUARANTINE_FAILED: "not shown to be cut off",
    statements.RELEASE_REQUESTED: "one person asks for its release",
    statements.RELEASE_APPROVED: "another person agrees",
    statements.RELEASED: "free again, as it was before the cut",
}
BOOTSTRAP = "; bootstrap: a credential was younger than 24 hours, this counts for no act of two people"
MARKS = {"none": "satisfied", "entering": "pending", "quarantined": "not-satisfied", "releasing": "pending"}
_COMING = frozenset({"requested", "starting", "stopping"})
LATELY = timedelta(days=1)
ENDED_SHOWN = 20
CHAIN_LENGTH = 30  # statements of one node that its page shows; the Evidence page has them all


@dataclass(frozen=True, slots=True)
class Told:
    """A statement about a node, in words."""

    entry: int
    recorded_at: datetime
    predicate: str
    words: str
    number: int  # of the quarantine that it belongs to; 0: none
    proof: Mapping[str, Any]  # for the chip
    late: bool


def told(logged: Logged) -> Told:
    """Return a statement in words."""
    statement = logged.envelope.statement
    number = statement.claims.get("number", 0)
    return Told(
        entry=logged.entry,
        recorded_at=logged.recorded_at,
        predicate=statement.predicate,
        words=WORDS.get(statement.predicate, "") + (BOOTSTRAP if statement.claims.get("bootstrap") is True else ""),
        number=number if isinstance(number, int) else 0,
        proof=proof(logged.entry, logged.envelope.digest, statement.issuance.strength.text),
        late=statement.issuance.late,
    )


def mark(node: Node) -> str:
    """Return which mark says how it stands: a node that is cut off is never green."""
    if node.cut_off:
        return MARKS[node.containment.value]
    if node.ended:
        return "not-applicable" if node.state.value == "stopped" else "not-satisfied"
    return "pending" if node.state.value in _COMING else "satisfied"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list."""

    node: Node
    mark: str
    standing: str
    isolation: str
    kind: str
    since: datetime
    last: Told | None


def _row(node: Node, quarantine: Quarantine | None, last: Told | None) -> Row:
    isolation = shown.ISOLATION.get(node.isolation, node.isolation)
    since = quarantine.requested_at if node.cut_off and quarantine is not None else node.changed_at
    return Row(node, mark(node), shown.standing(node), isolation, shown.KIND[node.kind.value], since, last)


@dataclass(frozen=True, slots=True)
class NodePages:
    """The Nodes pages over one service and one log."""

    compute: Compute
    pages: Pages
    log: Log
    live: Live
    prepare: Prepare | None = None  # keeps an act for its signature, and says where that is given

    def listed(self, request: Request, caller: Person) -> Response:
        """Return the list."""
        about = self._about(caller.tenant)
        nodes = self.compute.all(caller.tenant)
        rows = [self._row(node, about) for node in nodes]
        view = View("Which nodes run, and is any of them cut off?", "ringfence node list", caller)
        return self.pages.respond(
            request,
            "nodes.html",
            view,
            rows=sorted(rows, key=lambda row: (not row.node.cut_off, row.node.spec.name)),
            ready=sum(node.state.value == "ready" and not node.cut_off for node in nodes),
            cut_off=sum(node.cut_off for node in nodes),
            ended=self._ended_lately(caller.tenant),
            live=self.live(),
        )

    def _row(self, node: Node, about: Mapping[Digest, Sequence[Told]]) -> Row:
        return _row(node, self.compute.desk.quarantine(node), _last(about.get(node.subject, [])))

    def _ended_lately(self, tenant: Tenant) -> list[Node]:
        """Return the nodes that ended within a day, the newest first: none goes without a word."""
        nodes, now = self.compute.desk.nodes.all(tenant, ended=True), self.compute.desk.now()
        ended = [(node.ended_at, node) for node in nodes if node.ended_at is not None and not node.cut_off]
        lately = [(at, node) for at, node in ended if now - at <= LATELY]
        return [node for _, node in sorted(lately, key=lambda pair: pair[0], reverse=True)[:ENDED_SHOWN]]

    def one(self, request: Request, caller: Person, name: str) -> Response:
        """Return the page of a node."""
        node = self.compute.node(caller.tenant, name)
        quarantine = self.compute.desk.quarantine(node)
        releases = self.compute.desk.nodes.releases(node.id, node.quarantine)
        about = self._about(caller.tenant)
        chain = about.get(node.subject, [])
        held = [link for link in chain if link.number == node.quarantine and node.quarantine]
        return self.pages.respond(
            request,
            "node.html",
            View(f"How does {name} stand, and what proves it?", f"ringfence node show {name}", caller),
            row=_row(node, quarantine, _last(chain)),
            quarantine=quarantine,
            releases=releases,
            waiting=_waiting(releases, quarantine, self.compute.desk.now()),
            signs=self.prepare is not None,
            told=held,
            rest=[link for link in chain if link not in held][-CHAIN_LENGTH:],
            live=self.live(),
        )

    def release(self, caller: Person, name: str, request: str, reason: str) -> Response:
        """Prepare what the person signs: to approve the `request` that the page showed, else to ask for a release."""
        node = self.compute.node(caller.tenant, name)
        quarantine = self.compute.desk.quarantine(node)
        releases = self.compute.desk.nodes.releases(node.id, node.quarantine)
        waiting = _waiting(releases, quarantine, self.compute.desk.now())
        if self.prepare is None or quarantine is None or not node.cut_off:
            raise Conflict(f"{name} is not quarantined, so there is nothing to release")
        if request != (str(waiting.request) if waiting else ""):
            raise Conflict(_elsewhere(name, waiting, reason))
        if waiting is not None:
            draft = statements.release_approval(node.id, node.subject, node.quarantine, waiting.request)
        else:
            draft = statements.release_request(node.id, node.subject, node.quarantine, quarantine.before, reason)
        return RedirectResponse(self.prepare(caller, draft, name), status_code=303)

    def _about(self, tenant: Tenant) -> dict[Digest, list[Told]]:
        found: dict[Digest, list[Told]] = {}
        for logged in self.log.statements(tenant, statements.ABOUT_NODES):
            for subject in logged.envelope.statement.subjects:
                found.setdefault(subject.digest, []).append(told(logged))
        return found


def _last(chain: Sequence[Told]) -> Told | None:
    return chain[-1] if chain else None


def _elsewhere(name: str, waiting: Release | None, reason: str) -> str:
    """Say that the page is an old one; what was typed is given back, since it is kept nowhere."""
    back = f"; you wrote: {reason}" if reason else ""
    if waiting is None:
        return f"the request that you saw waits no more; look at {name} again{back}"
    return f"somebody asked meanwhile for the release of {name}; look at it and agree, or leave it{back}"


def _waiting(releases: Sequence[Release], quarantine: Quarantine | None, now: datetime) -> Release | None:
    """Return the request that waits for a second person, while it can still be approved."""
    if quarantine is None or quarantine.released_at is not None:
        return None
    asked = [one for one in releases if one.state is ReleaseState.ASKED and now - one.asked_at <= REQUEST_LIFE]
    return asked[-1] if asked else None


def router(compute: Compute, pages: Pages, log: Log, live: Live, prepare: Prepare | None = None) -> APIRouter:
    """Return the Nodes pages."""
    routes = APIRouter(include_in_schema=False)
    nodes = NodePages(compute, pages, log, live, prepare)

    @routes.get("/nodes")
    def listed(request: Request, caller: Reader) -> Response:
        return nodes.listed(request, caller)

    @routes.get("/nodes/{name}")
    def one(request: Request, caller: Reader, name: Annotated[str, Path(max_length=32)]) -> Response:
        return nodes.one(request, caller, name)

    @routes.post("/nodes/{name}/release")
    def release(name: Annotated[str, Path(max_length=32)], fields: Fields, caller: Signer) -> Response:
        return nodes.release(caller, name, fields.get("request", ""), fields.get("reason", "").strip())

    return routes
