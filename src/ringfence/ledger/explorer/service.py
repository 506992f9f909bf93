"""Search the log, and say which sequences have gaps."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.kernel.errors import Unavailable, UsageError
from ringfence.kernel.identifier import KeyId, Tenant
from ringfence.ledger.explorer.matching import matches
from ringfence.ledger.explorer.model import (
    Asked,
    Counted,
    Found,
    Neighbours,
    Query,
    Reach,
    Series,
    Source,
    Sources,
    Totals,
)
from ringfence.ledger.explorer.ports import Index, Log
from ringfence.ledger.explorer.sequences import MAX_GAPS, series
from ringfence.ledger.explorer.standing import resolve
from ringfence.ledger.issuers import Issuers
from ringfence.ledger.model import LoggedStatement

AT_ONCE = 2_000  # entries that a reader waits for; the loop of `up` takes in the rest
TURN = 5_000  # entries per turn of that loop
MAX_EXPORT = 10_000  # statements of an exported list


@dataclass(frozen=True, slots=True)
class Explorer:
    """The use cases of readers."""

    log: Log
    index: Index

    def turn(self) -> None:
        """Take in everything that is not in the index yet."""
        while self.index.catch_up(TURN).behind:
            pass

    def reach(self) -> Reach:
        """Return how far the index reaches, once it has taken in a little more."""
        with suppress(Unavailable):  # nothing can be written now: what is missing is said beside what is found
            return self.index.catch_up(AT_ONCE)
        return self.index.reach()

    def search(self, tenant: Tenant, query: Query, limit: int) -> Found:
        """Return the newest statements that match.

        Raises:
            MalformedInput: the actor is no role, person or key.
            UsageError: it means too many keys.
        """
        if not query.narrowed:
            return self._listed(tenant, query, limit)
        reach = self.reach()
        asked = resolve(query, self.log.issuers(tenant, query.at))
        entries = self.index.find(tenant, asked, limit + 1)
        older = entries[limit - 1] if len(entries) > limit else None
        return Found(self._read(tenant, asked, entries[:limit]), older, self.index.count(tenant, asked), reach)

    def _listed(self, tenant: Tenant, query: Query, limit: int) -> Found:
        """Return what the list of statements itself answers, whatever became of the index."""
        predicates = None if query.predicate is None else (query.predicate,)
        found = self.log.page(tenant, before=query.before, limit=limit + 1, predicates=predicates, at=query.at)
        tally = self.log.tally(tenant, at=query.at)
        number = tally.get(query.predicate, 0) if query.predicate else sum(tally.values())
        older = found[limit - 1].entry if len(found) > limit else None
        return Found(tuple(found[:limit]), older, Counted(number), Reach(0, 0))

    def _read(self, tenant: Tenant, asked: Asked, entries: list[int]) -> tuple[LoggedStatement, ...]:
        """Return the statements at the entries that an index named, as far as they are what was asked for."""
        found = self.log.named(tenant, entries, at=asked.query.at)
        return tuple(logged for logged in reversed(found) if matches(logged, asked))

    def everything(self, tenant: Tenant, query: Query) -> Found:
        """Return every statement that matches; raise `UsageError` where that is more than a file may hold."""
        found = self.search(tenant, replace(query, before=None), MAX_EXPORT)
        if found.older is not None:
            raise UsageError(f"an exported list has at most {MAX_EXPORT} statements; ask for a shorter time")
        return found

    def beside(self, logged: LoggedStatement) -> Neighbours:
        """Return the entries beside one: of the same source, and about its first subject."""
        statement = logged.envelope.statement
        self.reach()
        return self.index.beside(
            statement.issuance.tenant, logged.entry, logged.envelope.signer, statement.subjects[0].name
        )

    def stated(self, tenant: Tenant, at: datetime | None = None) -> dict[KeyId, int]:
        """Return how many statements each key signed."""
        self.reach()
        return {total.key: total.count for total in self.index.totals(tenant, at)}

    def sources(self, tenant: Tenant, at: datetime | None = None) -> Sources:
        """Return every key that stated something, with the gaps of its sequence; and those of the tenant itself."""
        reach, issuers = self.reach(), self.log.issuers(tenant, at)
        found = tuple(self._source(tenant, total, issuers, at) for total in self.index.totals(tenant, at))
        numbered, first, last, unnumbered = self.index.numbers(tenant, at)
        own = None
        if numbered:
            broken = numbered != last - first + 1
            jumps = self.index.tenant_jumps(tenant, at, MAX_GAPS + 1) if broken else []
            own = series(numbered, first, last, jumps, start=unnumbered + 1)
        return Sources(found, own, unnumbered, reach)

    def _source(self, tenant: Tenant, total: Totals, issuers: Issuers, at: datetime | None) -> Source:
        broken = total.count != total.last - total.first + 1
        jumps = self.index.jumps(tenant, total.key, at, MAX_GAPS + 1) if broken else []
        found: Series = series(total.count, total.first, total.last, jumps)
        _, issuer = issuers.at(total.key, total.last_at)
        return Source(total.key, issuer, found, total.last_entry, total.last_at)
