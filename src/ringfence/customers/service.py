"""Use cases of customers: keep the register, say what each may rely on, answer their questions, hand out packs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from ringfence.customers import answering, clauses, inheriting, questions, register, share, statements
from ringfence.customers.answering import Answer
from ringfence.customers.inheriting import Inherited
from ringfence.customers.model import (
    Announced,
    Customer,
    CustomerId,
    Handed,
    Occasion,
    Register,
    Thing,
    ThingKind,
    Wanted,
    check,
    check_subprocessor,
)
from ringfence.customers.ports import Boards, Clocks, Log, Packing, Sharing, Things, Waiting
from ringfence.customers.questions import Question
from ringfence.incidents.model import Clock, Incident
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock as Time
from ringfence.kernel.clock import to_text
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Unavailable
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Draft
from ringfence.obligations.choices import Selected
from ringfence.obligations.model import Catalog

MAX_CUSTOMERS = 1000
MAX_REASON = 2000
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Customers:
    """What front ends call. Nothing here changes a status of ours: no rule asks for a statement about customers."""

    log: Log
    boards: Boards
    catalog: Catalog
    things: Things
    packs: Packing
    recorder: Recorder
    publication: Publication
    transaction: Callable[[], AbstractContextManager[None]]
    draw: Callable[[], str]
    profile: Callable[[Tenant], Selected | None]
    clock: Time
    clocks: Clocks
    waiting: Waiting

    # The register

    def register(self, tenant: Tenant) -> Register:
        """Return everything that the log says of customers."""
        known = register.fold(self.log.statements(tenant, statements.EVERYTHING))
        return replace(known, profile=self.profile(tenant))

    def one(self, tenant: Tenant, name: CustomerId) -> Customer:
        """Return a customer; raise `NotFound` where it was never one, or is one no longer."""
        return self.register(tenant).one(name)

    def add(self, by: Person, wanted: Wanted) -> tuple[CustomerId, Acknowledgement]:
        """Enter a customer; raise `Conflict` where another one is called the same."""
        (done,) = self.add_all(by, [wanted])
        return done

    def add_all(self, by: Person, wanted: Sequence[Wanted]) -> list[tuple[CustomerId, Acknowledgement]]:
        """Enter customers, all or none."""
        here = self.things(by.tenant)
        things = [self._checked(each, here) for each in wanted]
        with self._settled(by.tenant) as known:
            _check_names(known.current, wanted)
            done = []
            for each, theirs in zip(wanted, things, strict=True):
                name = CustomerId(f"customer-{self.draw()}")
                draft = statements.registered(name, each, theirs, by)
                done.append((name, self.recorder.record(draft, tenant=by.tenant)))
        return [(name, self.publication.published(each.envelope)) for name, each in done]

    def change(self, by: Person, name: CustomerId, wanted: Wanted) -> Acknowledgement:
        """Replace what holds of a customer; clocks that run keep the hours that they began with."""
        here = self.things(by.tenant)
        with self._settled(by.tenant) as known:
            before = known.one(name)
            _check_names([one for one in known.current if one.id != name], [wanted])
            draft = statements.changed(name, wanted, self._checked(wanted, here, before.things), by)
            done = self.recorder.record(draft, tenant=by.tenant)
        return self.publication.published(done.envelope)

    def remove(self, by: Person, name: CustomerId, because: str) -> Acknowledgement:
        """End the entry of a customer; what was recorded stays, and so do clocks that run."""
        if not because.strip() or len(because) > MAX_REASON:
            raise MalformedInput(f"say why, in at most {MAX_REASON} characters")
        return self._stated(statements.removed(self.one(by.tenant, name), by, because.strip()), by.tenant)

    # What their contracts ask for

    def announce(
        self, by: Person, called: str, names: Sequence[CustomerId] = (), at: datetime | None = None
    ) -> list[tuple[Customer, Announced, Acknowledgement]]:
        """Record that customers were told of a new subprocessor; unless named, those whose contract names hours."""
        check_subprocessor(called)
        now = self.clock.now()
        if at is not None and at > now:
            raise MalformedInput(f"{to_text(at)} is in the future: it is {to_text(now)}")
        subprocessor = f"subprocessor-{self.draw()}"
        with self._settled(by.tenant) as known:
            asked = [one.id for one in known.current if Occasion.SUBPROCESSOR in one.hours]
            told = [known.one(name).id for name in dict.fromkeys(names)] or asked
            if not told:
                raise Conflict("no contract here names hours for a change of subprocessor; say whom you told")
            drafts = [statements.announced(one, subprocessor, called, at or now, by) for one in told]
            done = [self.recorder.record(draft, tenant=by.tenant) for draft in drafts]
        stated = {one: self.publication.published(each.envelope) for one, each in zip(told, done, strict=True)}
        after = self.register(by.tenant).everybody
        here = ((after[one], each) for one in told for each in after[one].announced)
        return [(one, each, stated[one.id]) for one, each in here if each.subprocessor == subprocessor]

    def beginnings(self, tenant: Tenant) -> list[tuple[Customer, Announced]]:
        """Return the announced subprocessors that may not begin yet, by customer."""
        if not self.log.statements(tenant, (statements.ANNOUNCED,)):  # asked for each page, and the register is long
            return []
        now = self.clock.now()
        told = ((one, each) for one in self.register(tenant).current for each in one.announced)
        return [(one, each) for one, each in told if each.earliest is not None and each.earliest > now]

    def due(self, tenant: Tenant, name: CustomerId) -> list[tuple[Incident, Clock]]:
        """Return the clocks of incidents that run for a customer."""
        running = self.clocks.running(tenant)
        return [(one, each) for one, of in running for each in of if each.customer == name and each.running]

    # What they may rely on

    def inherited(self, tenant: Tenant, one: Customer) -> tuple[Inherited, ...]:
        """Return the controls that reach a customer, with our status of each as it is."""
        return inheriting.inherited(self.boards.board(tenant), one)

    def answer(
        self, by: Person, name: CustomerId, asked: Sequence[Question], source: str
    ) -> tuple[list[dict[str, Any]], Acknowledgement]:
        """Answer a questionnaire, and record in numbers that it was."""
        self.one(by.tenant, name)
        if sum(map(questions.pointed, asked)) > questions.MAX_POINTED:
            raise MalformedInput(f"a questionnaire points at {questions.MAX_POINTED} things at most; split it")
        board = self.boards.board(by.tenant)
        found = [answering.answer(board, each, questions.match(self.catalog, each)) for each in asked]
        as_of = to_text(board.as_of) + (" demo" if board.demo else "")
        digests = self._digests(by.tenant, found)
        counts, details = answering.counts(found), {"file": source} if source else {}
        done = self._stated(statements.answered(name, counts, by, details), by.tenant)
        return [answering.document(each, digests, as_of) for each in found], done

    # Packs

    def draft(self, tenant: Tenant, name: CustomerId) -> tuple[Mapping[str, Any], Draft]:
        """Return what a pack for a customer would state, and the draft of the report that a person signs."""
        self.one(tenant, name)
        return self.packs.draft_for(tenant, self._sharing(name))

    def pack(self, by: Person, name: CustomerId, envelope: Envelope, opening: Opening | None) -> tuple[Handed, bytes]:
        """Take the signed report, record for whom the pack is, and return it."""
        self.one(by.tenant, name)
        size = envelope.statement.claims.get("size")
        if type(size) is not int:
            raise MalformedInput("a pack is closed by a report that says over which size of the log")
        root, told = self.log.checkpoint(size).checkpoint.root, []

        def alongside(done: Acknowledgement) -> None:
            draft = statements.packed(name, by, done.envelope, size, root)
            told.append(self.recorder.record(draft, tenant=by.tenant))

        data = self.packs.issue(envelope, opening, by=by, sharing=self._sharing(name), alongside=alongside)
        self.publication.published(told[0].envelope)
        report = str(envelope.digest)
        return next(made for made in self.handed(by.tenant, name) if made.report == report), data

    def handed(self, tenant: Tenant, name: CustomerId) -> list[Handed]:
        """Return the packs that were made for a customer, the newest last."""
        return [made for made in self.register(tenant).packs if made.customer == name]

    def made(self, tenant: Tenant, entry: int) -> Handed:
        """Return a pack that was made for a customer, by the number of its statement; raise `NotFound`."""
        for made in self.register(tenant).packs:
            if made.entry == entry:
                return made
        raise NotFound(f"no pack for a customer has the number {entry}; see `ringfence customer show CUSTOMER`")

    def again(self, tenant: Tenant, entry: int) -> tuple[Handed, bytes]:
        """Return a pack that was made for a customer once more, for that customer."""
        made = self.made(tenant, entry)
        report = self.log.entry_of(Digest.parse(made.report))
        if report is None:
            raise NotFound(f"the report that closes the pack {entry} is not in the log")
        return made, self.packs.again(tenant, report, self._sharing(made.customer))

    @contextmanager
    def _settled(self, tenant: Tenant) -> Iterator[Register]:
        """Open a transaction with a register that holds everything that is recorded: nobody enters what it lacks."""
        for _ in range(_ATTEMPTS):
            with self.transaction():
                waiting = self.waiting(tenant, statements.ENTRIES)
                if not waiting:
                    yield self.register(tenant)
                    return
            for envelope in waiting:
                self.publication.published(envelope)
        raise Unavailable("others enter customers at this moment; try again")

    def _sharing(self, name: CustomerId) -> Sharing:
        return partial(share.sharing, name, self.catalog)

    def _digests(self, tenant: Tenant, found: Sequence[Answer]) -> dict[int, Digest]:
        entries = sorted({entry for each in found for entry in each.entries})
        return {one.entry: one.envelope.digest for one in self.log.named(tenant, entries)} if entries else {}

    def _stated(self, draft: Draft, tenant: Tenant) -> Acknowledgement:
        with self.transaction():
            done = self.recorder.record(draft, tenant=tenant)
        return self.publication.published(done.envelope)

    def _checked(self, wanted: Wanted, here: Sequence[Thing], had: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the things as statements name them; raise for what does not fit or is not here, now or before."""
        check(wanted)
        for name in wanted.clauses:
            clauses.clause(name)
        return tuple(_found(kind, called, here, had) for kind, names in wanted.things.items() for called in names)


def _check_names(known: Sequence[Customer], wanted: Sequence[Wanted]) -> None:
    names = {one.name.casefold() for one in known if one.name}
    for each in wanted:
        if each.name.casefold() in names:
            raise Conflict(f"a customer is called {each.name} already; see `ringfence customer list`")
        names.add(each.name.casefold())
    if len(known) + len(wanted) > MAX_CUSTOMERS:
        raise Conflict(f"a tenant has at most {MAX_CUSTOMERS} customers")


def _found(kind: ThingKind, called: str, here: Sequence[Thing], had: Sequence[str]) -> str:
    for thing in here:
        if thing.kind is kind and called in (thing.called, thing.id):
            return thing.name
    if f"{kind}/{called}" in had:
        return f"{kind}/{called}"
    known = ", ".join(sorted(thing.called for thing in here if thing.kind is kind)[:20]) or "none"
    raise NotFound(f"no {kind} is called {called[:60]}; there are {known}")
