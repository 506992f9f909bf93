"""The Incidents pages: the list, and the room of one incident with its clocks, its proposals and its draft."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends import cookies
from ringfence.frontends.http import require
from ringfence.frontends.live import Live, Proofs
from ringfence.frontends.page import Pages, Prepare, View
from ringfence.frontends.practice import BesideOf
from ringfence.incidents import acts, clocks, contracts, options, typesetter, views
from ringfence.incidents.document import visible
from ringfence.incidents.model import Answer, ClockState, FactKind, Incident, IncidentId, incident_id
from ringfence.incidents.reading import NAME
from ringfence.incidents.service import Incidents
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import from_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import UsageError

Reader = Annotated[Person, Depends(require("incident.read"))]
Signer = Annotated[Person, Depends(require("act.sign"))]  # what is signed asks for an action of its own
Decider = Annotated[Person, Depends(require("incident.decide"))]
Fields = Annotated[dict[str, str], Depends(cookies.form_of)]
MAX_REASON = 500
MAX_BREACHED = 64
# How the state of a clock is shown: the mark's shape, its colour and its word.
MARKS: Mapping[str, str] = {
    "provisional": "pending",
    "pending": "pending",
    "undetermined": "pending",
    "met": "satisfied",
    "met-late": "not-satisfied",
    "late": "not-satisfied",
    "waiting": "upcoming",
    "untimed": "upcoming",
    "withdrawn": "not-applicable",
    "not-applicable": "not-applicable",
}
# What happens when nobody acts, beside the countdown.
THEN: Mapping[str, str] = {
    "": "then it escalates; it is no clock of the law",
    "nis2": "then it is late for ever; a late report is still owed",
    "contract": "then it is late for ever under the contract",
    "undecided": "then it is late for ever, if personal data of this customer turns out to be affected",
}


@dataclass(frozen=True, slots=True)
class Form:
    """What a person has ticked on the triage form; the browser cannot sign, so it becomes a command."""

    significant: str = ""
    criteria: tuple[str, ...] = ()
    reason: str = ""
    personal_data: Answer = Answer.UNKNOWN
    breached: tuple[str, ...] = ()

    def command(self, name: IncidentId) -> str:
        """Return the command that signs it; nothing before there is a decision and a reason."""
        if not self.significant or not self.reason.strip():
            return ""
        words = ["ringfence", "incident", "triage", name, f"--{self.significant}"]
        words += ["--criteria", ",".join(self.criteria)] if self.criteria else []
        words += ["--personal-data", self.personal_data] if self.personal_data is not Answer.UNKNOWN else []
        for one in self.breached:
            words += ["--breached", one]
        return shlex.join([*words, "--reason", visible(self.reason.strip())])


def form(
    decision: Annotated[str, Query(pattern="^(significant|not-significant)?$")] = "",
    criterion: Annotated[list[str] | None, Query(max_length=40)] = None,
    reason: Annotated[str, Query(max_length=MAX_REASON)] = "",
    personal: Annotated[str, Query(pattern="^(yes|no|unknown)$")] = "unknown",
    breached: Annotated[list[str] | None, Query(max_length=MAX_BREACHED)] = None,
) -> Form:
    """Parse the triage form's address."""
    ticked = tuple(code for code in criterion or () if len(code) < 16)
    data = Answer(personal)
    whose = tuple(one for one in breached or () if NAME.fullmatch(one)) if data is Answer.YES else ()
    return Form(decision, ticked if decision == "significant" else (), reason, data, whose)


class Log(Protocol):
    """What these pages ask of the ledger."""

    def entry_of(self, envelope: Digest) -> int | None:
        """Return where a statement stands in the log, once it does."""
        ...


@dataclass(frozen=True, slots=True)
class Rooms:
    """The pages over the use cases."""

    service: Incidents
    pages: Pages
    log: Log
    live: Live
    prepare: Prepare | None = None  # keeps an act for its signature, and says where that is given
    beside: BesideOf = lambda _: None  # the practice beside the own organisation

    def listed(self, request: Request, caller: Person) -> Response:
        """Return the list, what needs somebody first on top."""
        rows = [views.summary(shown) for shown in self.service.all(caller.tenant)]
        rows.sort(key=lambda row: (row["next"] is None, row["next"]["due_at"] if row["next"] else ""))
        view = View("What has happened, and what is due?", "ringfence incident list", caller)
        beside = None if rows else self.beside(caller)
        return self.pages.respond(
            request, "incidents.html", view, rows=rows, marks=MARKS, instant=from_text, live=self.live(), beside=beside
        )

    def room(self, request: Request, caller: Person, name: IncidentId, ticked: Form) -> Response:
        """Return the room of one incident."""
        document = views.room(self.service, caller.tenant, name)
        incident = self.service.desk.incident(caller.tenant, name)
        view = View(
            f"{document['incident']}: what is known, and what is due?", f"ringfence incident show {name}", caller
        )
        return self.pages.respond(
            request,
            "incident.html",
            view,
            room=document,
            marks=MARKS,
            then=consequence(document),
            instant=from_text,
            isolation=isolation(incident),
            ticked=ticked,
            command=ticked.command(name),
            signs=self.prepare is not None,
            triage=clocks.TRIAGE,
            proof_of=Proofs(self.log.entry_of),
            live=self.live(),
        )

    def triage(self, caller: Person, name: IncidentId, ticked: Form) -> Response:
        """Prepare what the person signs about significance, with what the page shows now; every time is now."""
        known = views.room(self.service, caller.tenant, name)  # first: whose it is not learns nothing else
        if self.prepare is None or not ticked.command(name):
            raise UsageError("say whether it is significant, and why")
        now, significant = self.service.desk.clock.now(), ticked.significant == "significant"
        customers = options.customers(None, known, ticked.breached, significant=significant)
        decision = acts.Decision(
            significant=significant,
            criteria=ticked.criteria,
            reason=ticked.reason.strip(),
            detected_at=from_text(known["detected_at"]),
            triaged_at=now,
            aware_at=now if significant or customers else None,
            customers=customers,
            personal_data=ticked.personal_data,
            breached=options.breached(ticked.breached or None, customers, ticked.personal_data),
        )
        draft = acts.triage(options.seen(known), decision)
        return RedirectResponse(self.prepare(caller, draft, name), status_code=303)


def isolation(incident: Incident) -> list[tuple[str, str]]:
    """Return each node with whether it is cut off, as far as this incident's facts say."""
    known: dict[str, str] = dict.fromkeys(incident.nodes, "not isolated, as far as is recorded here")
    for fact in sorted(incident.facts, key=lambda one: one.at):
        if fact.kind is FactKind.ISOLATED:
            known[fact.node] = f"isolated since {fact.at:%Y-%m-%d %H:%M:%S} UTC"
        elif fact.kind is FactKind.RELEASED:
            known[fact.node] = f"released at {fact.at:%Y-%m-%d %H:%M:%S} UTC"
    return [(visible(node), words) for node, words in known.items()]


def consequence(document: Mapping[str, Any]) -> str:
    """Say what happens when nobody acts for the nearest clock."""
    due = document["next"]
    if due is None:
        return ""
    undecided = due["regime"] == contracts.REGIME and due["state"] == ClockState.UNDETERMINED
    return THEN["undecided" if undecided else due["regime"]]


def router(
    service: Incidents,
    pages: Pages,
    log: Log,
    live: Live,
    prepare: Prepare | None = None,
    beside: BesideOf = lambda _: None,
) -> APIRouter:
    """Return the Incidents pages."""
    routes = APIRouter(include_in_schema=False)
    rooms = Rooms(service, pages, log, live, prepare, beside)

    @routes.get("/incidents")
    def listed(request: Request, caller: Reader) -> Response:
        return rooms.listed(request, caller)

    @routes.get("/incidents/{incident}")
    def room(request: Request, caller: Reader, incident: str, ticked: Annotated[Form, Depends(form)]) -> Response:
        return rooms.room(request, caller, incident_id(incident), ticked)

    @routes.post("/incidents/{incident}/draft")
    def draft(caller: Decider, incident: str) -> Response:
        """Make the draft of the early warning, and record that it was made."""
        made, _ = service.drafted(caller.tenant, incident_id(incident))
        headers = {"content-disposition": 'attachment; filename="early-warning.pdf"', "cache-control": "no-store"}
        return Response(typesetter.pdf(made), media_type="application/pdf", headers=headers)

    @routes.post("/incidents/{incident}/triage")
    def triage(caller: Signer, incident: str, fields: Fields) -> Response:
        codes = tuple(filter(None, fields.get("criteria", "")[:400].split(",")))
        whose = tuple(filter(None, fields.get("breached", "")[: MAX_BREACHED * 65].split(",")))
        personal = fields.get("personal", "unknown")
        if personal not in {one.value for one in Answer}:
            raise UsageError("whether personal data is affected is yes, no or unknown")
        reason = fields.get("reason", "")[:MAX_REASON]
        ticked = form(fields.get("decision", ""), list(codes)[:40], reason, personal, list(whose))
        return rooms.triage(caller, incident_id(incident), ticked)

    return routes
