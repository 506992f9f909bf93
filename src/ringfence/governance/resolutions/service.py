"""Put a resolution to the management body, take each member's signed vote, count, and state how it ended."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ringfence.governance.resolutions import opening, statements
from ringfence.governance.resolutions.counting import check_signature, votable
from ringfence.governance.resolutions.model import (
    MEASURES,
    Closing,
    Proposal,
    Resolution,
    ResolutionId,
    Shown,
    Terms,
    Told,
)
from ringfence.governance.resolutions.ports import Body, Controls, Matters, Resolutions, Stated
from ringfence.kernel import voting
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused, RingfenceError
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder, admit_new
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.statement import Draft
from ringfence.kernel.two_person import MATURITY
from ringfence.kernel.voting import Outcome


@dataclass(frozen=True, slots=True)
class Governing:
    """The use cases of resolutions."""

    resolutions: Resolutions
    body: Body
    matters: Matters
    controls: Controls
    stated: Stated
    recorder: Recorder
    publication: Publication
    publishable: Callable[[], AbstractContextManager[None]]
    clock: Clock
    draw: Callable[[], str]  # twelve hexadecimal digits

    def all(self, tenant: Tenant) -> list[Resolution]:
        """Return every resolution of a tenant, the newest first."""
        return self.resolutions.all(tenant)

    def one(self, tenant: Tenant, resolution: ResolutionId) -> Resolution:
        """Return one; raise `NotFound`."""
        found = self.resolutions.by_id(tenant, resolution)
        if found is None:
            raise NotFound(f"no resolution here is called {resolution}; see `ringfence resolution list`")
        return found

    def told(self, tenant: Tenant, resolutions: list[Resolution]) -> Mapping[ResolutionId, Told]:
        """Return what the side records of resolutions and of their votes hold."""
        wanted = [one.opening for one in resolutions]
        wanted += [ballot.envelope for one in resolutions for ballot in one.votes.values()]
        kept = self.stated.details(tenant, wanted)
        return {one.id: _told(one, kept) for one in resolutions}

    def propose(self, by: Person, proposal: Proposal) -> Draft:
        """Return what somebody signs who puts this to the body; nothing is stated yet."""
        proposal = self._worded(by.tenant, proposal)
        opening.check_proposal(proposal)
        body = self.body.members(by.tenant)
        terms = Terms(
            id=ResolutionId(f"resolution-{self.draw()}"),
            about=proposal.about,
            rule=opening.rule_of(proposal, body.keys()),
            eligible=len(body),
            ends_at=self.clock.now() + timedelta(days=proposal.days),
            measures=self.matters.measures(by.tenant).digest,
            shown=tuple(sorted(each.value for each in proposal.shown)),
            files=tuple(file.digest for file in proposal.files),
            records=tuple(self.stated.digests(by.tenant, sorted(set(proposal.records)))),
            head=self.stated.head(),
            tasks_overdue=proposal.tasks_overdue,
        )
        return statements.opened(proposal, terms)

    def open(self, by: Person, envelope: Envelope, details: Opening | None) -> Resolution:
        """Put to the body what somebody signed, unless anything it names has changed meanwhile.

        Raises:
            Refused: who is asked, what is in force or what was shown is not as the statement says.
        """
        terms = statements.parse_opening(envelope.statement)
        self._check(by, terms, envelope, details)
        now = self.clock.now()
        with self.publishable():
            self.resolutions.hold(by.tenant, terms.id)
            if self.resolutions.by_id(by.tenant, terms.id) is not None:
                raise Conflict(f"{terms.id} is open already; nothing about it changes")
            done = admit_new(self.recorder, envelope, details, by)
            found = Resolution(by.tenant, done.envelope, by.id, now, terms, {})
            self.resolutions.add(found)
        self.publication.published(done.envelope)
        return found

    def _check(self, by: Person, terms: Terms, envelope: Envelope, details: Opening | None) -> None:
        told = details.details if details else {}
        opening.check_details(terms, told)
        opening.check_end(terms, self.clock.now())
        self._check_matter(by.tenant, terms.about)
        again = statements.opened(Proposal(terms.about, told["title"], told["text"]), terms)
        if envelope.statement.subjects != again.subjects:
            raise MalformedInput("the subject of an opening is its resolution", source="envelope")
        body = self.body.members(by.tenant)
        if not terms.rule.members <= body.keys() or terms.eligible != len(body):
            raise Refused("the management body has changed meanwhile; ask for the resolution again")
        if terms.measures != self.matters.measures(by.tenant).digest:
            raise Refused("the set of measures in force has changed meanwhile; ask for the resolution again")
        if not self.stated.is_head(terms.head):
            raise Refused("the head that it names was never published by this log")
        if len(self.stated.entries(by.tenant, terms.records)) != len(set(terms.records)):
            raise Refused("a record that it names is not in this log")

    def _worded(self, tenant: Tenant, proposal: Proposal) -> Proposal:
        """Return a proposal with words of ours where it has none of its own."""
        if proposal.about == MEASURES:
            return opening.worded(proposal, *opening.of_measures(self.matters.measures(tenant)))
        found = self.controls(tenant, proposal.about)
        return opening.worded(proposal, *opening.of_control(proposal.about, found))

    def _check_matter(self, tenant: Tenant, about: str) -> None:
        if about != MEASURES:
            self.controls(tenant, about)

    def vote(self, by: Person, resolution: ResolutionId, envelope: Envelope, details: Opening | None) -> Resolution:
        """Take a member's vote, signed by that member's own passkey; the last one missing ends it.

        Raises:
            Refused: somebody votes who was not asked, is no member any more, or signed with something else.
            Conflict: it has ended, or this member has voted and the vote corrects none.
        """
        about, ballot = statements.parse_vote(envelope.statement, by.id, envelope.digest)
        with self.publishable():
            self.resolutions.hold(by.tenant, resolution)
            found = self.one(by.tenant, resolution)
            votable(found, by, self.body.members(by.tenant), about, ballot, details, self.clock.now())
            last = admit_new(self.recorder, envelope, details, by)
            check_signature(found, self.body.half(by.tenant, by.id, envelope.digest))
            self.resolutions.vote(found, ballot)
            found = replace(found, votes={**found.votes, by.id: ballot})
            if len(found.votes) == len(found.terms.rule.members):
                found, last = self._end(found, self.clock.now())
        self.publication.published(last.envelope)
        return found

    def close(self, by: Person, resolution: ResolutionId) -> Resolution:
        """End what is decided whatever those say who have not voted, or what is past its end."""
        with self.publishable():
            self.resolutions.hold(by.tenant, resolution)
            found = self.one(by.tenant, resolution)
            if found.closing is not None:
                raise Conflict("this resolution has ended; nothing about it changes any more")
            now = self.clock.now()
            decided = voting.settled(found.terms.rule, voting.tally(found.votes))
            if found.open(now) and decided is None:
                raise Conflict("the votes that are missing can still turn it; it ends at its date at the latest")
            found, done = self._end(found, now)
        self.publication.published(done.envelope)
        return found

    def sweep(self) -> int:
        """End every resolution past its date; return how many."""
        overdue = self.resolutions.overdue(self.clock.now())
        return sum(self._lapse(tenant, resolution) for tenant, resolution in overdue)

    def _lapse(self, tenant: Tenant, resolution: ResolutionId) -> bool:
        try:
            with self.publishable():
                self.resolutions.hold(tenant, resolution)
                found, now = self.one(tenant, resolution), self.clock.now()
                if found.closing is not None or found.open(now):
                    return False
                _, done = self._end(found, now)
            self.publication.published(done.envelope)
        except RingfenceError:
            return False  # the next sweep finds it again
        return True

    def _end(self, found: Resolution, now: datetime) -> tuple[Resolution, Acknowledgement]:
        outcome = voting.outcome(found.terms.rule, voting.tally(found.votes))
        draft = statements.ended(
            found,
            outcome,
            now,
            young=self._young(found),
            later_versions=int(self.matters.measures(found.tenant).digest != found.terms.measures),
            incidents=self._untold(found),
        )
        done = self.recorder.record(draft, tenant=found.tenant)
        if outcome is Outcome.APPROVED and found.terms.about == MEASURES:
            measured = statements.in_force(self.matters.measures(found.tenant), found.terms.measures)
            self.recorder.record(measured, tenant=found.tenant)
        closing = Closing(now, outcome, done.envelope)
        self.resolutions.close(found, closing)
        return replace(found, closing=closing), done

    def approved(self, tenant: Tenant) -> Resolution | None:
        """Return the resolution by which the body approved the measures last."""
        carried = [one for one in self.resolutions.all(tenant) if one.carried and one.terms.about == MEASURES]
        return max(carried, key=lambda one: one.closing.at if one.closing else one.opened_at, default=None)

    def watch(self) -> int:
        """State for which tenants the measures in force changed since the body approved them; return how many."""
        return sum(self._watched(tenant) for tenant in self.resolutions.tenants())

    def _watched(self, tenant: Tenant) -> bool:
        approved = self.approved(tenant)
        if approved is None:
            return False
        draft = statements.in_force(self.matters.measures(tenant), approved.terms.measures)
        if dict(self.stated.measured(tenant)) == dict(draft.claims):
            return False
        with self.publishable():
            self.recorder.record(draft, tenant=tenant)
        return True

    def _young(self, found: Resolution) -> int:
        halves = (self.body.half(found.tenant, one.person, one.envelope) for one in found.votes.values())
        return sum(half.at - half.known_since < MATURITY for half in halves)

    def _untold(self, found: Resolution) -> int:
        """Count the significant incidents that the body was not told of."""
        since = found.opened_at if Shown.INCIDENTS in found.terms.shown else self._approved_before(found)
        return self.matters.significant_incidents(found.tenant, since)

    def _approved_before(self, found: Resolution) -> datetime | None:
        carried = [one for one in self.resolutions.all(found.tenant) if one.terms.about == found.terms.about]
        return max((one.closing.at for one in carried if one.carried and one.closing), default=None)


def _told(one: Resolution, kept: Mapping[Digest, Mapping[str, Any]]) -> Told:
    words = kept.get(one.opening, {})
    said: dict[PersonId, str] = {
        person: str(kept[ballot.envelope]["sentence"])
        for person, ballot in one.votes.items()
        if "sentence" in kept.get(ballot.envelope, {})
    }
    return Told(str(words.get("title", "")), str(words.get("text", "")), tuple(words.get("files", ())), said)
