"""The Decisions pages: what the management body is asked, what it decided, what it was told, who was trained."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from ringfence.frontends.http import require
from ringfence.frontends.page import Allows, Pages, Prepare, View, may
from ringfence.governance.beside import Beside, Kind
from ringfence.governance.oversight.fold import overdue
from ringfence.governance.oversight.service import Oversight
from ringfence.governance.ports import Proofs
from ringfence.governance.resolutions import counting, views
from ringfence.governance.resolutions.model import (
    MAX_DAYS,
    MAX_TEXT,
    MEASURES,
    NOT_QUALIFIED,
    USUAL_DAYS,
    Attached,
    Proposal,
    Resolution,
    Shown,
    resolution_id,
    subject_matter,
)
from ringfence.governance.resolutions.service import Governing
from ringfence.governance.resolutions.statements import voted
from ringfence.governance.service import Judgements
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.voting import Choice, settled, tally

PAGE = "/decisions"
ENDED = 20  # resolutions that have ended, the newest
LINES = 30  # of the oversight log
_ACTS = ("resolution.open", "resolution.vote")
_ATTACHED = re.compile(r"([0-9a-f]{64}) (sha256:[0-9a-f]{64}) (.{1,255})")

Reader = Annotated[Person, Depends(require("resolution.read"))]
Opener = Annotated[Person, Depends(require("resolution.open"))]
Voter = Annotated[Person, Depends(require("act.sign"))]  # the signature itself asks for `resolution.vote`


@dataclass(frozen=True, slots=True)
class Decisions:
    """The pages over the use cases."""

    governing: Governing
    oversight: Oversight
    judged: Judgements
    proofs: Proofs
    pages: Pages
    prepare: Prepare
    allows: Allows

    def all(self, request: Request, caller: Person) -> Response:
        """Return everything that was decided, and is to be."""
        tenant, now = caller.tenant, self.pages.clock.now()
        found = self.governing.all(tenant)
        waiting = [one for one in found if one.closing is None]
        ended = [one for one in found if one.closing is not None][:ENDED]
        approved = self.governing.approved(tenant)
        view = View("Which decision is mine today, and can I show it?", "ringfence resolution list", caller)
        told = self.governing.told(tenant, [*waiting, *ended])
        return self.pages.respond(
            request,
            "decisions.html",
            view,
            waiting=[self._row(one, told, caller) for one in waiting],
            ended=[self._row(one, told, caller) for one in ended],
            asides=asides(self.judged.beside(tenant)),
            shown=self.oversight.shown(tenant)[:LINES],
            courses=self.oversight.courses(tenant),
            members=[(one, overdue(one, now)) for one in self.oversight.members(tenant)],
            proof=self.proofs(tenant, approved.closing.approval) if approved and approved.closing else None,
            changed=approved is not None and approved.terms.measures != self.governing.matters.measures(tenant).digest,
            **self._form(caller),
        )

    def one(self, request: Request, caller: Person, found: Resolution) -> Response:
        """Return one resolution, with what it takes to decide on it."""
        tenant, now = caller.tenant, self.pages.clock.now()
        told = self.governing.told(tenant, [found])
        mine = views.choice_of(found, caller.id)
        question = "What was decided?" if found.closing else "What am I asked to decide?"
        view = View(question, f"ringfence resolution show {found.id}", caller)
        decided = settled(found.terms.rule, tally(found.votes))
        return self.pages.respond(
            request,
            "decision.html",
            view,
            **self._row(found, told, caller),
            mine=mine,
            may_vote="resolution.vote" in self._may(caller) and caller.id in found.terms.rule.members,
            choices=tuple(Choice),
            can_end="resolution.open" in self._may(caller) and (decided is not None or not found.open(now)),
            decided=decided,
            opened=self.proofs(tenant, found.opening),
            proof=self.proofs(tenant, found.closing.approval) if found.closing else None,
            records=sorted(self.governing.stated.entries(tenant, found.terms.records).values()),
            note=NOT_QUALIFIED,
        )

    def _row(self, one: Resolution, told: Mapping[Any, Any], caller: Person) -> dict[str, Any]:
        now, names = self.pages.clock.now(), self.governing.body.members(caller.tenant)
        return {
            "one": one,
            "told": told[one.id],
            "state": views.state(one, now),
            "needs": views.needs(one),
            "missing": one.waits_for(caller.id, now),
            "taken": one.open(now),
            "names": {person: names[person].name for person in one.terms.rule.members if person in names},
        }

    def _may(self, caller: Person) -> frozenset[str]:
        return may(self.allows, caller, _ACTS)

    def _form(self, caller: Person) -> dict[str, Any]:
        body = self.governing.body.members(caller.tenant)
        return {
            "may": self._may(caller),
            "body": sorted(body.values(), key=lambda one: one.name),
            "what": tuple(Shown),
            "usual": USUAL_DAYS,
            "most": MAX_DAYS,
            "longest": MAX_TEXT,
            "note": NOT_QUALIFIED,
        }

    def put(self, caller: Person, proposal: Proposal) -> Response:
        """Lead to the page on which an opening is signed."""
        draft = self.governing.propose(caller, proposal)
        return RedirectResponse(self.prepare(caller, draft, ""), status_code=303)

    def vote(self, caller: Person, resolution: str, choice: Choice, sentence: str) -> Response:
        """Lead to the page on which a vote is signed."""
        found = self.governing.one(caller.tenant, resolution_id(resolution))
        counting.member(found, caller, self.governing.body.members(caller.tenant), self.pages.clock.now())
        said = sentence.strip()
        counting.check_sentence(choice, {"sentence": said} if said else {})
        before = found.votes.get(caller.id)
        draft = voted(found.id, found.opening, choice, corrects=before.envelope if before else None, sentence=said)
        return RedirectResponse(self.prepare(caller, draft, found.id), status_code=303)


def asides(beside: Mapping[str, Iterable[Beside]]) -> list[tuple[Beside, tuple[str, ...]]]:
    """Return exceptions and risks, each once with its controls, what runs out soonest first."""
    controls: dict[str, list[str]] = {}
    found: dict[str, Beside] = {}
    for control, several in beside.items():
        for one in several:
            if one.kind is not Kind.OPINION:
                found[one.id] = one
                controls.setdefault(one.id, []).append(control)
    ordered = sorted(found.values(), key=lambda one: (one.last_day is None, str(one.last_day), one.id))
    return [(one, tuple(sorted(set(controls[one.id])))) for one in ordered]


def attached(text: str) -> tuple[Attached, ...]:
    """Take apart what the page's script sends of a document; nothing where none was attached."""
    if not text:
        return ()
    match = _ATTACHED.fullmatch(text)
    if match is None:
        raise MalformedInput("a document comes as salt, digest and name; attach it again", source="document")
    salt, digest, name = match.groups()
    return (Attached(name, bytes.fromhex(salt), Digest.parse(digest)),)


@dataclass(frozen=True, slots=True)
class Asked:
    """The form by which something is put to the body."""

    title: Annotated[str, Form(max_length=200)] = ""
    text: Annotated[str, Form(max_length=2 * MAX_TEXT)] = ""
    about: Annotated[str, Form(max_length=20)] = MEASURES
    quorum: Annotated[int, Form(ge=0, le=100)] = 0
    agreements: Annotated[int, Form(ge=0, le=100)] = 0
    days: Annotated[int, Form(ge=1, le=MAX_DAYS)] = USUAL_DAYS
    shown: Annotated[tuple[Shown, ...], Form()] = ()
    records: Annotated[str, Form(max_length=400)] = ""
    tasks: Annotated[int, Form(ge=0, le=1_000_000)] = 0
    document: Annotated[str, Form(max_length=500)] = ""

    def proposal(self) -> Proposal:
        """Return it as the use case takes it."""
        entries = self.records.replace(",", " ").split()
        if not all(entry.isascii() and entry.isdigit() and len(entry) < 16 for entry in entries):
            raise MalformedInput("records are entries of the log, such as 12 31", source="records")
        return Proposal(
            about=subject_matter(self.about.strip()),
            title=self.title.strip(),
            text=self.text.replace("\r\n", "\n").strip(),
            quorum=self.quorum,
            agreements=self.agreements,
            days=self.days,
            shown=frozenset(self.shown),
            files=attached(self.document),
            records=tuple(map(int, entries)),
            tasks_overdue=self.tasks,
        )


def router(decisions: Decisions) -> APIRouter:
    """Return the Decisions pages and their forms."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PAGE)
    def listed(request: Request, caller: Reader) -> Response:
        """Show everything that was decided, and is to be."""
        return decisions.all(request, caller)

    @routes.get(PAGE + "/{resolution}")
    def one(request: Request, resolution: str, caller: Reader) -> Response:
        """Show one resolution."""
        return decisions.one(request, caller, decisions.governing.one(caller.tenant, resolution_id(resolution)))

    @routes.post(PAGE)
    def put(asked: Annotated[Asked, Depends()], caller: Opener) -> Response:
        """Prepare what is put to the body."""
        return decisions.put(caller, asked.proposal())

    @routes.post(PAGE + "/{resolution}/vote")
    def vote(
        resolution: str,
        choice: Annotated[Choice, Form()],
        caller: Voter,
        sentence: Annotated[str, Form(max_length=2000)] = "",
    ) -> Response:
        """Prepare a vote."""
        return decisions.vote(caller, resolution, choice, sentence)

    @routes.post(PAGE + "/{resolution}/close")
    def close(resolution: str, caller: Opener) -> Response:
        """End what is decided."""
        decisions.governing.close(caller, resolution_id(resolution))
        return RedirectResponse(f"{PAGE}/{resolution}", status_code=303)

    return routes
