"""The wires of retention: where what is kept lies, in the database and on the disk."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import delete, tuple_

from ringfence.gateway.blobs import ReceiptIndex, SegmentFiles
from ringfence.gateway.model import request_id
from ringfence.gateway.segment import SEGMENT
from ringfence.identity.ports import People
from ringfence.identity.signin.store import SESSIONS
from ringfence.identity.store import PASSES, PEOPLE
from ringfence.incidents.store import EVENTS, INCIDENTS
from ringfence.installation import Home
from ringfence.kernel import identifier
from ringfence.kernel.clock import Clock
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, RingfenceError
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.ledger.service import Ledger
from ringfence.retention.blobs import SideRecords
from ringfence.retention.erasing import Asked, Erasing
from ringfence.retention.model import ClassName, Item, Schedule, Tally
from ringfence.retention.ports import Source, Wanted
from ringfence.retention.running import Runner
from ringfence.retention.schedule import FILE, MAX_FILE, defaulted, overridden, shipped
from ringfence.retention.service import Retention
from ringfence.retention.store import HoldTable, RunTables
from ringfence.retention.sweeping import Sweeper
from ringfence.retention.troubles import Troubles
from ringfence.soc.action import State
from ringfence.soc.store import ALERTS, FINDINGS, RULINGS
from ringfence.storage.database import Database
from ringfence.storage.files import explained, read_bounded
from ringfence.storage.outbox import Outbox
from ringfence.workloads.aging import AgedRows
from ringfence.workloads.leavers import LeaverCredentials
from ringfence.workloads.serving import FOLDER as GATEWAY

RECORDS, OPENINGS, ACCESSES = map(ClassName, ("inference-records", "inference-openings", "accesses"))
_KINDS = {RECORDS: "seg", OPENINGS: "salts"}
_FORGOTTEN = "erased"
_NEVER = datetime.max.replace(tzinfo=UTC)  # where nobody knows since when


@dataclass(frozen=True, slots=True)
class Segments:
    """Closed segments as a `Source`: the records and the openings have periods of their own."""

    files: SegmentFiles
    index: ReceiptIndex
    name: str = "segments"

    def tally(self, tenant: Tenant) -> Mapping[ClassName, Tally]:
        """Return how many files of each kind there are."""
        found = {}
        for kind, ending in _KINDS.items():
            numbers = self.files.numbers(tenant, ending)
            closed = (self._item(tenant, kind, number) for number in self._signed(tenant, kind))
            first = next((item for item in closed if not item.unreadable), None)
            found[kind] = Tally(len(numbers), None if first is None else first.since)
        return found

    def older(self, tenant: Tenant, kind: ClassName, before: datetime, *, skip: int, limit: int) -> Sequence[Item]:
        """Return segments in the order in which they were closed; those whose closing is damaged are among them."""
        if kind not in _KINDS:
            return ()
        found: list[Item] = []
        for number in self._signed(tenant, kind)[skip:]:
            item = self._item(tenant, kind, number)
            if (item.since > before and not item.unreadable) or len(found) == limit:
                break
            found.append(item)
        return found

    def load(self, tenant: Tenant, keys: Sequence[str]) -> Sequence[Item]:
        """Return those that are still here."""
        found: list[Item] = []
        for key in keys:
            kind, number, _ = _segment(key)
            if self.files.path(tenant, number, _KINDS[kind]).exists():
                found.append(Item(kind, self.name, key, self._closed(tenant, number), SEGMENT))
        return found

    def about(self, tenant: Tenant, wanted: Wanted, limit: int) -> Sequence[Item]:
        """Return the openings of a segment that a statement closed, or the opening of one answer."""
        del limit
        if wanted.statement is not None:
            numbers = self._signed(tenant, OPENINGS)
            own = [n for n in numbers if self._closing(tenant, n) == wanted.statement]
            return [self._item(tenant, OPENINGS, number) for number in own]
        with suppress(MalformedInput):
            place = self.index.find(tenant, request_id(wanted.subject))
            if place is not None and self.files.salt(tenant, place.segment, place.index):
                key = f"{OPENINGS} {place.segment} {place.index}"
                return [Item(OPENINGS, self.name, key, self._closed(tenant, place.segment), SEGMENT)]
        return ()

    def destroy(self, tenant: Tenant, items: Sequence[Item]) -> None:
        """Destroy openings, or the file of the records."""
        for item in items:
            kind, number, place = _segment(item.key)
            if kind == OPENINGS:
                self.files.erase(tenant, number, place)
            else:
                self.files.drop(tenant, number)

    def _signed(self, tenant: Tenant, kind: ClassName) -> list[int]:
        """Return the segments whose period has begun: a closing that was cut off is signed later."""
        signed = set(self.files.numbers(tenant, "dsse"))
        return [number for number in self.files.numbers(tenant, _KINDS[kind]) if number in signed]

    def _item(self, tenant: Tenant, kind: ClassName, number: int) -> Item:
        key = f"{kind} {number}"
        try:
            return Item(kind, self.name, key, self._closed(tenant, number), SEGMENT)
        except RingfenceError as error:  # damaged, or gone in this moment
            return Item(kind, self.name, key, _NEVER, SEGMENT, unreadable=str(error))

    def _closed(self, tenant: Tenant, number: int) -> datetime:
        return self.files.envelope(tenant, number).statement.issuance.issued_at

    def _closing(self, tenant: Tenant, number: int) -> Digest | None:
        with suppress(RingfenceError):  # a damaged one is no statement that anybody could name
            return self.files.envelope(tenant, number).digest
        return None


def _segment(key: str) -> tuple[ClassName, int, int | None]:
    kind, number, *place = key.split(" ")
    return ClassName(kind), int(number), int(place[0]) if place else None


@dataclass(frozen=True, slots=True)
class RotatedAccesses:
    """The access records that the gateway rotated away; they are of all tenants, and lie with the first one's."""

    path: Path
    tenant: Tenant
    name: str = "accesses"

    def tally(self, tenant: Tenant) -> Mapping[ClassName, Tally]:
        """Return whether there is such a file."""
        found = self.load(tenant, [self.path.name])
        return {ACCESSES: Tally(len(found), found[0].since if found else None)}

    def older(self, tenant: Tenant, kind: ClassName, before: datetime, *, skip: int, limit: int) -> Sequence[Item]:
        """Return the file where it is old."""
        found = self.load(tenant, [self.path.name])[skip : skip + limit] if kind == ACCESSES else []
        return [item for item in found if item.since <= before]

    def load(self, tenant: Tenant, keys: Sequence[str]) -> Sequence[Item]:
        """Return the file where it is still here."""
        if tenant != self.tenant or self.path.name not in keys:
            return []
        try:
            with explained(self.path, "read"):
                written = self.path.lstat().st_mtime
        except NotFound:
            return []
        return [Item(ACCESSES, self.name, self.path.name, datetime.fromtimestamp(written, tz=UTC), "access_record")]

    def about(self, tenant: Tenant, wanted: Wanted, limit: int) -> Sequence[Item]:
        """Return nothing: an erasure does not take other people's records with it."""
        del tenant, wanted, limit
        return ()

    def destroy(self, tenant: Tenant, items: Sequence[Item]) -> None:
        """Remove the file."""
        del tenant
        if items:
            with explained(self.path, "remove"):
                self.path.unlink(missing_ok=True)


def _rows(database: Database) -> Iterator[AgedRows]:
    aged = partial(AgedRows, database)
    settled = RULINGS.c.state.not_in([State.DESIRED.value, State.WAITING.value])
    of_people = partial(aged, named=("person",), person="person")
    events, sessions = ClassName("events"), ClassName("sessions")
    yield aged("findings", events, FINDINGS, "last_seen", "finding.raised", (FINDINGS.c.noted.is_(True),))
    yield aged("rulings", events, RULINGS, "decided_at", "finding.ruled", (settled,))
    yield aged("alerts", events, ALERTS, "created_at", "alert.sent")
    yield aged(
        "incidents",
        ClassName("timelines"),
        INCIDENTS,
        "opened_at",
        "incident.timeline",
        (INCIDENTS.c.finished.is_(True),),
        named=("incident",),
        also=partial(_without_events, database),
    )
    yield of_people(
        "leavers",
        ClassName("leavers"),
        PEOPLE,
        "removed_at",
        "person.name",
        (PEOPLE.c.removed_at.is_not(None),),
        blanked={"name": _FORGOTTEN},
    )
    yield of_people("sessions", sessions, SESSIONS, "seen_at", "session")
    yield of_people("passes", sessions, PASSES, "until", "session")


def _without_events(database: Database, tenant: Tenant, keys: Sequence[Mapping[str, Any]]) -> None:
    named = [(tenant, key["incident"]) for key in keys]
    database.connection().execute(delete(EVENTS).where(tuple_(EVENTS.c.tenant, EVENTS.c.incident).in_(named)))


def schedule_of(home: Path, defaults: Mapping[str, int] | None = None) -> Schedule:
    """Return the classes with a profile's defaults and the team's own periods; raise where the latter are refused."""
    path, known = home / FILE, defaulted(shipped(), defaults or {})
    try:
        data = read_bounded(path, limit=MAX_FILE)
    except NotFound:
        return known
    return overridden(known, data, source=str(path))


@dataclass(frozen=True, slots=True)
class KeptFor:
    """`obligations.profiles.ports.Kept` over the classes of a home."""

    home: Path

    def periods(self, wanted: Mapping[str, int]) -> Mapping[str, int]:
        """Return the days that each class is kept for where a profile wants these."""
        return {each.name: each.period for each in schedule_of(self.home, wanted).classes}


def wanted(asked: Asked) -> Wanted:
    """Parse what an erasure is asked for; exactly one thing."""
    given = [word for word in (asked.statement, asked.subject, asked.person) if word]
    if len(given) != 1:
        raise MalformedInput("an erasure names one thing: a statement, a subject or a person")
    if asked.statement:
        return Wanted(statement=Digest.parse(asked.statement))
    if asked.person:
        return Wanted(names=frozenset({identifier.person_id(asked.person)}))
    return Wanted(subject=asked.subject)


def retaining(
    home: Home,
    database: Database,
    people: People,
    ledger: Ledger,
    outbox: Outbox,
    clock: Clock,
    troubles: Troubles,
    defaults: Callable[[Tenant], Mapping[str, int]] = lambda _tenant: {},
) -> Retention:
    """Join ports and adapters; `defaults` are the periods of the profile that a tenant has put in force."""

    def known_as(tenant: Tenant, person: PersonId) -> frozenset[str]:
        found = people.by_id(tenant, person)
        if found is None:
            raise NotFound(f"nobody here is called {person[:80]}; see `ringfence user list`")
        keys = ledger.issuers(tenant).enrolments.values()
        theirs = {enrolment.issuer.key for enrolment in keys if enrolment.issuer.person == person}
        return frozenset({found.id, found.key, *theirs} - {""})

    gateway = home.path / GATEWAY
    segments = Segments(SegmentFiles(gateway), ReceiptIndex(gateway / "index"))
    accesses = RotatedAccesses(gateway / "access.log.1", home.tenant)
    rows: tuple[Source, ...] = (SideRecords(database, shipped()), *_rows(database), LeaverCredentials(database))
    sources = (*rows, segments, accesses)
    runner = Runner(
        sources=sources,
        schedule=lambda tenant: schedule_of(home.path, defaults(tenant) if tenant else None),
        holds=HoldTable(database),
        runs=RunTables(database),
        recorder=outbox,
        publication=ledger,
        transaction=ledger.publishable,
        clock=clock,
        draw=_draw,
        scrub=database.scrub,
    )
    sweeper = Sweeper(runner, lambda: [record.tenant for record in people.tenants()], troubles)
    return Retention(runner, sweeper, Erasing(runner, known_as, wanted), known_as)


def _draw() -> str:
    return secrets.token_hex(6)
