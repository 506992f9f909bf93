"""Incidents over fakes: the real service, a log in memory, an organisation that a test can change; and row contracts.

lab = LabIncidents()
name = lab.detect("ssh-guessing-then-success")
lab.triage(name, criteria=("3(1)(e)",))            # signed by SECURITY, aware now
lab.room(name).clocks
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.incidents import acts, thresholds
from ringfence.incidents.desk import Desk
from ringfence.incidents.model import Event, Fact, FindingFacts, IncidentId
from ringfence.incidents.ports import Rows
from ringfence.incidents.service import Assessed, Incidents
from ringfence.incidents.terms import Category, Customer, Standing, Threshold
from ringfence.incidents.watch import Watch
from ringfence.kernel.actor import Person, Role
from ringfence.kernel.commitment import Opening, commit
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope, key_id_of, sign
from ringfence.kernel.errors import Conflict, RingfenceError
from ringfence.kernel.evidence import Acknowledgement, Stage
from ringfence.kernel.identifier import LogOrigin, PersonId, PredicateName, Tenant
from ringfence.kernel.statement import Draft, Issuance, Statement, to_payload
from ringfence.obligations.reading import package_file
from ringfence.testing.clock import FakeClock

TENANT = Tenant("acme")
SECURITY = Person(PersonId("person-0123456789ab"), TENANT, Role.SECURITY)
NAME = "Dana Voss"
HOSPITAL, CARS = Customer("hospital"), Customer("cars", hours=4, agreed=True)
API_PROVIDER = Standing(Category.IMPORTANT, True, ("cloud_computing_service_provider",), "NIS2 3(2)", "DE")  # noqa: FBT003
LICENCE_ONLY = Standing(Category.OUT_OF_SCOPE, False, (), "NIS2 2(1)", "DE")  # noqa: FBT003


@cache
def shipped_thresholds() -> tuple[Threshold, ...]:
    """Return the criteria that ship with the product."""
    import yaml

    return thresholds.parse(yaml.safe_load(package_file("nis2_2690.yaml"))["significant_incident"])


@dataclass(slots=True)
class MemoryRows:
    """`Rows` in memory; `snapshot` and `restore` make its transactions."""

    timelines: dict[tuple[Tenant, IncidentId], list[Event]] = field(default_factory=dict)
    finished: set[tuple[Tenant, IncidentId]] = field(default_factory=set)

    def append(self, tenant: Tenant, incident: IncidentId, event: Event) -> None:
        """Add an event."""
        events = self.timelines.setdefault((tenant, incident), [])
        if event.position != len(events) + 1:
            raise Conflict(f"position {event.position} of {incident} is taken")
        events.append(event)

    def events(self, tenant: Tenant, incident: IncidentId) -> Sequence[Event]:
        """Return a timeline."""
        return list(self.timelines.get((tenant, incident), ()))

    def all(self, tenant: Tenant, *, limit: int) -> Mapping[IncidentId, Sequence[Event]]:
        """Return the newest timelines."""
        return dict(list(self._newest(tenant).items())[:limit])

    def unfinished(self, tenant: Tenant) -> Mapping[IncidentId, Sequence[Event]]:
        """Return those that are not finished."""
        return {name: rows for name, rows in self._newest(tenant).items() if (tenant, name) not in self.finished}

    def settle(self, tenant: Tenant, incident: IncidentId, *, finished: bool) -> None:
        """Keep whether it is finished."""
        (self.finished.add if finished else self.finished.discard)((tenant, incident))

    def _newest(self, tenant: Tenant) -> dict[IncidentId, Sequence[Event]]:
        own = {name: list(rows) for (owner, name), rows in self.timelines.items() if owner == tenant}
        return dict(sorted(own.items(), key=lambda one: (-one[1][0].at.timestamp(), one[0])))


class ContractOfRows:
    """What the service relies on, of every adapter; a subclass gives `rows` and `transaction` as fixtures."""

    def test_events_come_back_in_order_and_of_the_own_tenant(self, rows: Rows, transaction: Callable[[], Any]) -> None:
        """Rows are kept apart by tenant."""
        with transaction():
            for position in (1, 2):
                rows.append(TENANT, IncidentId("i-00000001"), event(position))
        assert list(rows.events(TENANT, IncidentId("i-00000001"))) == [event(1), event(2)]
        assert list(rows.events(Tenant("other"), IncidentId("i-00000001"))) == []
        assert not rows.all(Tenant("other"), limit=5)

    def test_a_position_is_taken_once(self, rows: Rows, transaction: Callable[[], Any]) -> None:
        """Two who act at once do not both win."""
        with transaction():
            rows.append(TENANT, IncidentId("i-00000001"), event(1))
        try:
            with transaction():
                rows.append(TENANT, IncidentId("i-00000001"), event(1))
        except Conflict:
            return
        raise AssertionError("a second event took the place of the first")

    def test_the_newest_come_first_and_finished_ones_only_when_asked(
        self, rows: Rows, transaction: Callable[[], Any]
    ) -> None:
        """Lists are bounded, and what is finished stays readable."""
        names = [IncidentId(f"i-0000000{number}") for number in range(3)]
        with transaction():
            for hours, name in enumerate(names):
                rows.append(TENANT, name, replace(event(1), at=event(1).at + timedelta(hours=hours)))
            rows.settle(TENANT, names[1], finished=True)
        assert list(rows.all(TENANT, limit=2)) == [names[2], names[1]]
        assert list(rows.unfinished(TENANT)) == [names[2], names[0]]
        with transaction():
            rows.settle(TENANT, names[1], finished=False)
        assert len(rows.unfinished(TENANT)) == 3


def event(position: int) -> Event:
    """Return a made-up event."""
    at = FakeClock().now() + timedelta(minutes=position)
    return Event(position, "opened" if position == 1 else "warned", at, "", {"n": position}, bytes(16), "sha256:00")


@dataclass(slots=True)
class MemoryLog:
    """Recorder, publication and log in one: signs with one key, and keeps everything."""

    clock: FakeClock
    kept: list[tuple[Envelope, Opening | None]] = field(default_factory=list)
    broken: RingfenceError | None = None
    drawn: int = 0

    def random(self, size: int) -> bytes:
        """Return bytes that differ each time and are the same in every run."""
        self.drawn += 1
        return Digest.of(b"random %d" % self.drawn).value[:size]

    def signed(self, draft: Draft) -> tuple[Envelope, Opening | None]:
        """Sign a draft."""
        key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        opening = commit(draft.details, self.random(32)) if draft.details else None
        nonce = self.random(16).hex()
        issuance = Issuance(
            tenant=TENANT,
            log=LogOrigin("example.eu/log"),
            issuer=key_id_of(key.public_key().public_bytes_raw()),
            strength=draft.strength,
            sequence=len(self.kept) + 1,
            nonce=nonce,
            idempotency_key=draft.idempotency_key or nonce,
            issued_at=self.clock.now(),
        )
        commitment = opening.commitment if opening else None
        return sign(to_payload(draft.issued(issuance, commitment)), key), opening

    def record(self, draft: Draft, *, tenant: Tenant) -> Acknowledgement:  # noqa: ARG002
        """Sign and keep."""
        return self._keep(*self.signed(draft))

    def admit(self, envelope: Envelope, opening: Opening | None, *, by: Person) -> Acknowledgement:  # noqa: ARG002
        """Keep what a person signed, once per idempotency key."""
        key = envelope.statement.issuance.idempotency_key
        for place, (known, _) in enumerate(self.kept, 1):
            if known.statement.issuance.idempotency_key == key:
                return Acknowledgement(known.digest, place, Stage.SEQUENCED)
        return self._keep(envelope, opening)

    def _keep(self, envelope: Envelope, opening: Opening | None) -> Acknowledgement:
        if self.broken:
            raise self.broken
        self.kept.append((envelope, opening))
        return Acknowledgement(envelope.digest, len(self.kept), Stage.SEQUENCED)

    def published(self, envelope: Digest) -> Acknowledgement:
        """Publish at once."""
        return Acknowledgement(envelope, len(self.kept), Stage.PUBLISHED, entry=len(self.kept) - 1)

    def statements(self, tenant: Tenant, predicates: Sequence[PredicateName]) -> list[Statement]:  # noqa: ARG002
        """Return what was stated."""
        return [kept.statement for kept, _ in self.kept if kept.statement.predicate in predicates]


@dataclass(slots=True)
class LabOrganisation:
    """The tenant itself, as a test has it."""

    its_standing: Standing = API_PROVIDER
    its_customers: tuple[Customer, ...] = (HOSPITAL, CARS)
    entered: Mapping[str, tuple[str, PersonId]] = field(default_factory=dict)

    def standing(self, _tenant: Tenant) -> Standing:
        """Return the classification."""
        return self.its_standing

    def customers(self, _tenant: Tenant) -> Sequence[Customer]:
        """Return the customers."""
        return self.its_customers

    def profile(self, _tenant: Tenant) -> Mapping[str, tuple[str, PersonId]]:
        """Return what was entered beforehand."""
        return self.entered


class LabIncidents:
    """The use cases over fakes; every act is signed and posted as the command line does it."""

    def __init__(self, start: datetime | None = None) -> None:
        self.clock = FakeClock(start) if start else FakeClock()
        self.log = MemoryLog(self.clock)
        self.rows = MemoryRows()
        self.organisation = LabOrganisation()
        self.alerts: list[str] = []
        self.service = self.restarted()
        self.watch = Watch(self.service, lambda _tenant, _name, text, _at: self.alerts.append(text))
        self._numbers = 0

    def restarted(self) -> Incidents:
        """Return a service that remembers nothing but its rows."""
        desk = Desk(self.transaction, self.rows, self.log, self.clock, self.log.random)
        criteria = shipped_thresholds()
        return Incidents(
            desk,
            self.log,
            self.organisation,
            lambda: criteria,
            lambda _tenant, person: NAME if person == SECURITY.id else person,
            self.log.statements,
            lambda _tenant: False,
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Undo rows and statements where the block fails."""
        rows, finished, kept = deepcopy(self.rows.timelines), set(self.rows.finished), list(self.log.kept)
        try:
            yield
        except BaseException:
            self.rows.timelines, self.rows.finished, self.log.kept = rows, finished, kept
            raise

    def finding(self, rule: str = "ssh-guessing", **changes: Any) -> FindingFacts:
        """Return a finding that was made now."""
        self._numbers += 1
        now = self.clock.now()
        made = FindingFacts(
            id=f"f-{self._numbers:024x}",
            rule=rule,
            subject="n-00000001",
            source="203.0.113.7",
            first_seen=now - timedelta(seconds=30),
            last_seen=now,
            detected_at=now,
            count=6,
            severity="high",
            title=rule.replace("-", " "),
            evidence=(str(Digest.of(b"line")),),
            envelope=str(Digest.of(b"finding %d" % self._numbers)),
        )
        return replace(made, **changes)

    def detect(self, rule: str = "ssh-guessing", *facts: Fact, **changes: Any) -> IncidentId:
        """Let a detection open or extend an incident."""
        found = self.watch.consider(TENANT, self.finding(rule, **changes), facts)
        assert found is not None
        return found

    def seen(self, name: IncidentId) -> acts.Seen:
        """Return what a signer sees now."""
        incident = self.room(name).incident
        return acts.Seen(name, len(incident.timeline), incident.head)

    def room(self, name: IncidentId) -> Assessed:
        """Return the incident with what follows from it now."""
        return self.service.room(TENANT, name)

    def post(self, name: IncidentId, draft: Draft) -> Acknowledgement:
        """Sign and post an act."""
        return self.service.act(SECURITY, name, draft.predicate, *self.log.signed(draft))

    def triage(self, name: IncidentId, *, significant: bool = True, **changes: Any) -> Acknowledgement:
        """Decide now; a significant incident meets 3(1)(e) and concerns every customer unless told otherwise."""
        wanted = {
            "criteria": ("3(1)(e)",) if significant else (),
            "reason": "looked at it",
            "detected_at": self.room(name).incident.detected_at,
            "triaged_at": self.clock.now(),
            "customers": tuple(one.id for one in self.organisation.its_customers) if significant else (),
        } | changes
        if significant or wanted["customers"]:
            wanted.setdefault("aware_at", self.clock.now())
        return self.post(name, acts.triage(self.seen(name), acts.Decision(significant=significant, **wanted)))

    def file(self, name: IncidentId, stage: str, at: datetime | None = None) -> Acknowledgement:
        """Record that a report was filed."""
        details = {"reference": "AB-1", "salt": "00" * 32, "to": "CSIRT"}
        receipt = Digest.of(b"receipt")
        sent = at or self.clock.now()
        return self.post(name, acts.reported(self.seen(name), stage, sent, "csirt", receipt, details))

    def clocks(self, name: IncidentId) -> dict[str, Any]:
        """Return the clocks by id."""
        return {clock.id: clock for clock in self.room(name).clocks}
