"""Acts that people sign with passkeys, joined: which use case takes which, and what the log knows of signing keys."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.compute import shown as node_views
from ringfence.compute import statements as nodes
from ringfence.compute.service import Compute
from ringfence.governance.resolutions import statements as resolutions
from ringfence.governance.resolutions import views as resolution_views
from ringfence.governance.resolutions.model import resolution_id
from ringfence.governance.resolutions.service import Governing
from ringfence.identity.acting.api import page_of
from ringfence.identity.acting.enrolling import ENROLLED, Enrolling
from ringfence.identity.acting.ports import Submit, Target
from ringfence.identity.acting.service import ActDesk
from ringfence.identity.acting.store import ActTable
from ringfence.identity.policy import Policies
from ringfence.identity.reviews.model import review_id
from ringfence.identity.reviews.service import AccessReviews
from ringfence.identity.reviews.statements import DECIDED
from ringfence.identity.signin.counting import Counting
from ringfence.identity.signin.keyring import PasskeyTable
from ringfence.incidents import acts, views
from ringfence.incidents.model import incident_id
from ringfence.incidents.service import Incidents
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import Opening
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.identifier import KeyId, LogOrigin, PredicateName, Tenant
from ringfence.kernel.statement import Draft
from ringfence.ledger.model import Standing
from ringfence.ledger.service import Ledger
from ringfence.obligations.asides import NOT_APPLICABLE
from ringfence.obligations.forms import shelf
from ringfence.obligations.forms.service import Counted, Forms
from ringfence.obligations.overriding.service import Overriding
from ringfence.obligations.profile import SELECTED
from ringfence.obligations.profiles.service import Profiles
from ringfence.storage.database import Database
from ringfence.storage.outbox import Outbox

_INCIDENTS: Mapping[PredicateName, str] = {
    acts.TRIAGE: "You decide whether this incident is significant, and since when you are aware of it: clocks follow.",
    acts.CORRECTED: "You correct what stands about this incident; the old value stays on record.",
    acts.REPORT: "You state that you filed a report about this incident, and what acknowledges it.",
    acts.NOTICE: "You state that you told a customer about this incident.",
    acts.BREACH_NOTICE: "You state that you told a customer that personal data of theirs is affected.",
    acts.CLOSED: "You state that this incident is handled.",
}


@dataclass(frozen=True, slots=True)
class Acting:
    """What the front ends call."""

    desk: ActDesk
    enrolling: Enrolling
    forms: Forms

    def prepare(self, person: Person, draft: Draft, place: str) -> str:
        """Keep an act for its signature; return the page on which it is given."""
        return page_of(self.desk.prepare(person, draft, place))

    def signs(self, person: Person) -> bool:
        """Return whether a passkey of theirs signs acts."""
        return bool(self.desk.signers(person))


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """`identity.acting.ports.Issuing` over the log."""

    ledger: Ledger
    outbox: Outbox
    clock: Clock

    @property
    def log(self) -> LogOrigin:
        """Return the log that statements are for."""
        return self.outbox.log

    def in_force(self, tenant: Tenant, key: KeyId) -> bool:
        """Return whether a statement by this key would count now."""
        return self.ledger.issuers(tenant).at(key, self.clock.now())[0] is Standing.TRUSTED

    def next_sequence(self, tenant: Tenant, issuer: KeyId) -> int:
        """Return the place of the key's next statement."""
        return self.outbox.next_sequence(tenant, issuer)

    def is_demo(self, tenant: Tenant) -> bool:
        """Return whether everything in the tenant is made up."""
        return tenant in self.outbox.demo_tenants


@dataclass(frozen=True, slots=True)
class Takers:
    """The use cases that take signed acts."""

    compute: Compute
    incidents: Incidents
    reviews: AccessReviews
    governing: Governing
    overriding: Overriding
    profiles: Profiles
    enrolling: Enrolling
    forms: Forms

    def targets(self) -> Mapping[PredicateName, Target]:
        """Return who takes what; from here and from a terminal it is the same."""
        found = {
            name: Target("incident.decide", words, self._incident(name), _incident_page)
            for name, words in _INCIDENTS.items()
        }
        declared = "You open an incident that no detection has seen."
        said = "You state what this form says, in your name. It counts as documented at most."
        found |= {name: Target("record.form", said, self._said, _form_page) for name in shelf.types()}
        return (
            found
            | self._chosen()
            | {
                acts.OPENED: Target("incident.decide", declared, self._declared, lambda _: "/incidents"),
                nodes.RELEASE_REQUESTED: Target(
                    "node.release",
                    "You ask that this node be freed. Another person looks at it, and signs.",
                    self._asked,
                    _node_page,
                ),
                nodes.RELEASE_APPROVED: Target(
                    "node.release",
                    "You agree that this node is freed: it gets back the state from before the cut, at once.",
                    self._approved,
                    _node_page,
                ),
                resolutions.OPENED: Target(
                    "resolution.open",
                    "You put this to the members of the management body. From now on nothing about it changes.",
                    self._put,
                    lambda _: "/decisions",
                ),
                resolutions.VOTED: Target(
                    "resolution.vote",
                    "You vote on this resolution. A signed record, not a qualified electronic signature.",
                    self._voted,
                    _resolution_page,
                ),
                DECIDED: Target(
                    "review.decide", "You decide whether somebody keeps access.", self._reviewed, _review_page
                ),
                ENROLLED: Target(
                    "passkey.sign",
                    "From now on this passkey signs acts in your name, for a year or until it is revoked.",
                    self._enrolled,
                    lambda _: "/signin",
                ),
            }
        )

    def _chosen(self) -> dict[PredicateName, Target]:
        """Return who takes what a team chooses beside the law."""
        aside = "You state that this control does not apply until that day, for the reason in your team's file."
        chosen = "You put this profile in force: what it asks for is asked from now on, as the difference showed you."
        return {
            NOT_APPLICABLE: Target("control.set-aside", aside, self._set_aside, lambda _: "/profiles/overrides"),
            SELECTED: Target("profile.select", chosen, self._selected, lambda _: "/profiles"),
        }

    def _incident(self, predicate: PredicateName) -> Submit:
        def taken(person: Person, place: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
            name = incident_id(place)
            done = self.incidents.act(person, name, predicate, envelope, opening)
            return views.room(self.incidents, person.tenant, name) | {"statement": done.to_json()}

        return taken

    def _declared(self, person: Person, _: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        name, done = self.incidents.declare(person, envelope, opening)
        return views.room(self.incidents, person.tenant, name) | {"statement": done.to_json()}

    def _asked(self, person: Person, place: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        return node_views.release(self.compute.releasing.ask(person, place, envelope, opening))

    def _approved(self, person: Person, place: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        return node_views.release(self.compute.releasing.approve(person, place, envelope, opening))

    def _reviewed(self, person: Person, place: str, envelope: Envelope, _: Opening | None) -> Mapping[str, Any]:
        done = self.reviews.decide(person, review_id(place), envelope)
        return {"review": place, "statement": done.to_json()}

    def _put(self, person: Person, _: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        return resolution_views.shown(self.governing.open(person, envelope, opening))

    def _voted(self, person: Person, place: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        return resolution_views.shown(self.governing.vote(person, resolution_id(place), envelope, opening))

    def _said(self, person: Person, place: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        return {"type": place, "statement": self.forms.take(person, place, envelope, opening).to_json()}

    def _set_aside(self, person: Person, place: str, envelope: Envelope, opening: Opening | None) -> Mapping[str, Any]:
        return {"control": place, "statement": self.overriding.take(person, place, envelope, opening).to_json()}

    def _selected(self, person: Person, place: str, envelope: Envelope, _: Opening | None) -> Mapping[str, Any]:
        return {"profile": place, "statement": self.profiles.take(person, place, envelope).to_json()}

    def _enrolled(self, person: Person, place: str, envelope: Envelope, _: Opening | None) -> Mapping[str, Any]:
        return {"passkey": place, "statement": self.enrolling.enrol(person, place, envelope).to_json()}


def _incident_page(place: str) -> str:
    return f"/incidents/{place}"


def _review_page(place: str) -> str:
    return f"/access/reviews/{place}"


def _resolution_page(place: str) -> str:
    return f"/decisions/{place}"


def _form_page(place: str) -> str:
    return f"/record/{place}"


def _node_page(place: str) -> str:
    return f"/nodes/{place}"


def acting(
    database: Database,
    ledger: Ledger,
    outbox: Outbox,
    policies: Policies,
    clock: Clock,
    takers: tuple[Compute, Incidents, AccessReviews, Governing, Overriding, Profiles],
    others: Mapping[PredicateName, Target],
    registers: Mapping[PredicateName, Counted],
) -> Acting:
    """Join ports and adapters; `others` take what the use cases here do not, `registers` count for forms."""
    passkeys = PasskeyTable(database)
    enrolling = Enrolling(passkeys, outbox, ledger, ledger.publishable, clock)
    rules = takers[4].catalog
    forms = Forms(rules, ledger, outbox, ledger, ledger.publishable, clock, registers)
    desk = ActDesk(
        acts=ActTable(database),
        passkeys=passkeys,
        counting=Counting(passkeys, outbox, database.transaction, ledger.publishable, clock),
        issuing=KnownKeys(ledger, outbox, clock),
        policies=policies,
        targets={**Takers(*takers, enrolling, forms).targets(), **others},
        transaction=database.transaction,
        clock=clock,
        random=secrets.token_bytes,
    )
    return Acting(desk, enrolling, forms)
