"""A made-up week of attacks on a whole installation: real services over nodes in memory, for tests of the console.

with staged(make(tmp_path / "home", clock), clock) as stage:
    with served(stage.app()) as address: ...

It ends at the time at which `clock` began plus `LENGTH`: begin it so long ago, and countdowns agree with the browser's.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta

from fastapi import FastAPI

from ringfence.compute import statements as containment
from ringfence.compute.lifecycle import Order
from ringfence.compute.model import Node, NodeClass
from ringfence.compute.perimeter import Blocking
from ringfence.cutoff.nodes import ComputeLogs, ComputeResponder
from ringfence.incidents import acts
from ringfence.incidents.model import Answer, IncidentId
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.statement import Draft
from ringfence.server import create_app
from ringfence.services import Services
from ringfence.soc.action import Surroundings
from ringfence.soc.answering import Sighting, at_once
from ringfence.soc.model import Finding, finding_id
from ringfence.soc.policy import Policy
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor
from ringfence.testing.home import TENANT, LabHome, signed
from ringfence.testing.sandboxes import MemoryProvider
from ringfence.testing.soc import FakeNotifier, FakeNotifiers

LENGTH = timedelta(days=4)
TAKEN, GUESSED = "ssh-guessing-then-success", "ssh-guessing"
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e" + "A" * 300


class Effects:
    """A world in which nothing is killed."""

    def effect(self, name: str) -> nullcontext[None]:  # noqa: ARG002
        """Let it happen."""
        return nullcontext()


@dataclass
class MemoryPerimeter:
    """The outside ports, on paper."""

    addresses: list[str] = field(default_factory=list)

    def block(self, address: str, *, seconds: int | None = None) -> None:  # noqa: ARG002
        """Keep an address out."""
        self.addresses.append(address)

    def unblock(self, address: str) -> None:
        """Let it in again."""
        self.addresses.remove(address)

    def blocked(self) -> list[str]:
        """Return who is kept out."""
        return self.addresses


@dataclass
class Stage:
    """The installation, its people and its clock."""

    services: Services
    home: LabHome
    clock: FakeClock
    incidents: dict[str, IncidentId] = field(default_factory=dict)
    findings: dict[str, str] = field(default_factory=dict)

    def app(self) -> FastAPI:
        """Return the whole app; everybody is let in."""
        made = create_app(self.services)
        made.state.door = OpenDoor(TENANT)
        return made

    def node(self, name: str, **order: object) -> Node:
        """Start a node."""
        wanted = Order(name, NodeClass.NAMESPACE, **order)  # type: ignore[arg-type]
        return self.services.cutoff.compute.start(self.home.actor(Role.ENGINEER), wanted)

    def see(self, rule: str, node: Node, source: str, **facts: object) -> str:
        """Let the watch find something, as its worker does; return the reference of the finding."""
        answers, now = self.services.cutoff.answers, self.clock.now()
        made = Finding(
            id=finding_id(rule, node.id, source, now),
            rule=rule,
            subject=node.id,
            source=source,
            first_seen=now - timedelta(seconds=48),
            last_seen=now,
            count=9,
            severity="high",
            technique=("T1110.001", "T1078"),
            evidence=tuple(Digest.of(b"%d" % number).hex for number in range(9)),
            title="Guessing from one address, then a login that worked",
        )
        found = replace(made, **facts)  # type: ignore[arg-type]
        known = ComputeLogs(self.services.cutoff.compute).facts(node)
        self.clock.advance(timedelta(milliseconds=40))
        answers.answer(Sighting(TENANT, found, known, Surroundings(nodes=3), now, self.clock.now()))
        answers.sweep()
        raised = answers.findings.by_key(TENANT, found.id)
        assert raised is not None
        return raised.reference

    def sign(self, name: IncidentId, draft: Draft) -> None:
        """Sign an act about an incident, and post it."""
        person = Role.SECURITY
        made = signed(self.services, self.home.people[person], draft)
        self.services.cutoff.incidents.act(self.home.actor(person), name, draft.predicate, *made)

    def seen(self, name: IncidentId) -> acts.Seen:
        """Return what a signer sees now."""
        incident = self.services.cutoff.incidents.room(TENANT, name).incident
        return acts.Seen(name, len(incident.timeline), incident.head)

    def newest(self) -> IncidentId:
        """Return the incident that was opened last."""
        return self.services.cutoff.incidents.all(TENANT)[0].incident.id

    def decide(self, name: IncidentId, *, significant: bool) -> None:
        """Triage an incident now."""
        room = self.services.cutoff.incidents.room(TENANT, name)
        decision = acts.Decision(
            significant=significant,
            criteria=("3(1)(e)",) if significant else (),
            reason="read the log with the person on call" if significant else "guesses only, nobody came in",
            detected_at=room.incident.detected_at,
            triaged_at=self.clock.now(),
            aware_at=self.clock.now() if significant else None,
            malicious=Answer.YES,
            customers=tuple(one.id for one in room.bound.customers) if significant else (),
        )
        self.sign(name, acts.triage(self.seen(name), decision))

    def file(self, name: IncidentId, stage: str) -> None:
        """Record that a report was filed."""
        details = {"reference": "CSIRT-2026-0417", "salt": "00" * 32, "to": "CSIRT"}
        draft = acts.reported(self.seen(name), stage, self.clock.now(), "csirt", Digest.of(b"receipt"), details)
        self.sign(name, draft)


@contextmanager
def staged(home: LabHome, clock: FakeClock) -> Iterator[Stage]:
    """Play the week, and give what it leaves."""
    with empty(home, clock) as stage:
        end = clock.now() + LENGTH
        _organise(stage)
        _week(stage)
        clock.advance(end - clock.now())
        yield stage


@contextmanager
def empty(home: LabHome, clock: FakeClock) -> Iterator[Stage]:
    """Give the installation before anything has happened."""
    with home.services(clock) as services:
        yield Stage(_in_memory(services), home, clock)


def _in_memory(services: Services) -> Services:
    """Put nodes, outside ports and channels of alerts into memory; the rest is as the installation has it."""
    cut = services.cutoff
    desk = replace(cut.compute.desk, providers={NodeClass.NAMESPACE: MemoryProvider(Effects())})
    compute = replace(
        cut.compute,
        desk=desk,
        containing=replace(cut.compute.containing, desk=desk),
        releasing=replace(cut.compute.releasing, desk=desk),
        blocking=Blocking(desk, MemoryPerimeter(), services.journal),
        pause=lambda _seconds: None,
    )
    channels = FakeNotifiers([FakeNotifier(), FakeNotifier("webhook", broken=Unavailable("it answered 503"))])
    posting = replace(cut.posting, notifiers=channels)
    answers = replace(
        cut.answers, responder=ComputeResponder(compute), post=posting, bounded=lambda write: write(), hands=at_once
    )
    watch = replace(cut.watch, post=posting)
    return replace(services, cutoff=replace(cut, compute=compute, posting=posting, answers=answers, watch=watch))


def _organise(stage: Stage) -> None:
    by = stage.home.people[Role.OWNER].id
    told: Mapping[str, object] = {
        "customers": [{"id": "hospital", "hours": 4, "agreed": True}],
        "fields": {"entity": {"text": "Beispiel Cloud GmbH, Leipzig", "by": by}},
    }
    file = stage.home.path / "organisation.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({"format": "urn:ringfence:organisation:v1", "tenants": {TENANT: told}}))
    stage.services.cutoff.watch.change(stage.home.actor(Role.SECURITY), 0, Policy(isolations=1, share_percent=0))


def _week(stage: Stage) -> None:
    gateway = stage.node("gateway", expose=(443,))
    honeypot = stage.node("honeypot", training=True)
    trainer = stage.node("trainer-with-a-long-name-1")
    stage.clock.advance(timedelta(hours=6))
    _closed(stage, trainer)
    stage.clock.advance(timedelta(hours=14))
    _late(stage, honeypot)
    stage.clock.advance(timedelta(hours=36))
    stage.findings["guessed"] = stage.see(GUESSED, gateway, "198.51.100.23", count=41, title="Guessing")
    stage.decide(stage.newest(), significant=False)
    stage.clock.advance(timedelta(hours=34, minutes=30))
    stage.findings["hostile"] = stage.see(TAKEN, gateway, "203.0.113.99", title=HOSTILE, count=1_204)
    stage.incidents["undecided"] = stage.newest()
    stage.services.cutoff.posting.deliver()
    stage.clock.advance(timedelta(minutes=9))
    stage.findings["waiting"] = stage.see(TAKEN, trainer, "192.0.2.77")
    _ask_for_release(stage, honeypot)
    stage.services.ledger.integrate()


def _closed(stage: Stage, node: Node) -> None:
    """Bring an incident to its end: detected, decided, reported in time, handled."""
    stage.findings["closed"] = stage.see(GUESSED, node, "198.51.100.7", title="Guessing")
    name = stage.incidents["closed"] = stage.newest()
    stage.clock.advance(timedelta(minutes=35))
    stage.decide(name, significant=True)
    stage.clock.advance(timedelta(hours=2))
    stage.file(name, "nis2.early_warning")
    stage.sign(name, acts.closed(stage.seen(name), stage.clock.now(), "keys changed, nothing was read"))


def _late(stage: Stage, node: Node) -> None:
    """Let an incident run out of time: the node is cut off, and no report was filed."""
    stage.findings["cut"] = stage.see(TAKEN, node, "203.0.113.7")
    name = stage.incidents["late"] = stage.newest()
    stage.clock.advance(timedelta(hours=1))
    stage.decide(name, significant=True)


def _ask_for_release(stage: Stage, node: Node) -> None:
    compute, person = stage.services.cutoff.compute, Role.SECURITY
    row = compute.node(TENANT, node.spec.name)
    held = compute.desk.quarantine(row)
    assert held is not None
    draft = containment.release_request(row.id, row.subject, row.quarantine, held.before, "disk imaged, account closed")
    made = signed(stage.services, stage.home.people[person], draft)
    compute.releasing.ask(stage.home.actor(person), node.spec.name, *made)
