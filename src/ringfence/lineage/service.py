"""Compute lineage: now, from what is kept and what is new; at another time, from scratch."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from ringfence.gateway.records import Record
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, UsageError
from ringfence.kernel.identifier import Tenant
from ringfence.ledger.model import LoggedStatement
from ringfence.lineage import closing
from ringfence.lineage.closing import Survey
from ringfence.lineage.fold import Lineage
from ringfence.lineage.model import Closure, Kind, Ref
from ringfence.lineage.ports import Statements
from ringfence.lineage.reading import PREDICATES
from ringfence.lineage.tracing import Traced, trace
from ringfence.lineage.view import View, around
from ringfence.obligations.board import KEY_EVENTS

_PAGE = 64  # statements asked for at once while catching up
_WANTED = (*PREDICATES, *KEY_EVENTS)
_FOUND_BY_NAME = (Kind.MODEL, Kind.DATASET, Kind.DEPLOYMENT, Kind.RUN)

# The names that a tenant gave its things, by how statements name them: `model/<id>`, `dataset/<id>`. They are looked up
# when somebody asks, since they are erasable and must not be kept here.
Names = Callable[[Tenant], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Lineages:
    """The lineage of everything that tenants state; there is no use case that sets a link.

    What is kept is replaced whole and never changed, so that threads may share it without a lock.
    """

    evidence: Statements
    is_demo: Callable[[Tenant], bool]
    names: Names
    at_once: Callable[[], AbstractContextManager[None]] = nullcontext  # around the making of very many things
    _kept: dict[Tenant, Lineage] = field(default_factory=dict, repr=False)
    _surveyed: dict[Tenant, tuple[Lineage, Survey]] = field(default_factory=dict, repr=False)

    def lineage(self, tenant: Tenant, at: datetime | None = None) -> Lineage:
        """Return everything of a tenant, now or as it was known at `at`."""
        if at is not None:
            return self._scratch(tenant, at)
        kept = self._kept.get(tenant)
        found = self._scratch(tenant) if kept is None else self._caught_up(kept)
        self._kept[tenant] = found
        return found

    def closure(self, tenant: Tenant, model: Digest, at: datetime | None = None) -> Closure:
        """Return what a model comes from, and what is missing of it."""
        return closing.of_model(self.lineage(tenant, at), model)

    def survey(self, tenant: Tenant, at: datetime | None = None) -> Survey:
        """Return what is missing behind every signed model and every deployment that has not ended."""
        lineage = self.lineage(tenant, at)
        kept = self._surveyed.get(tenant)
        if kept is not None and kept[0] is lineage:
            return kept[1]  # nothing was stated since
        found = closing.survey(lineage)
        if at is None:
            self._surveyed[tenant] = (lineage, found)
        return found

    def show(self, tenant: Tenant, start: Ref, at: datetime | None = None) -> View:
        """Return what one thing comes from and what became of it; raise `NotFound` where nobody ever named it."""
        lineage = self.lineage(tenant, at)
        if start not in lineage.things:
            raise NotFound(f"no statement names {start}")
        return around(lineage, start)

    def behind(self, tenant: Tenant, record: Record) -> tuple[Traced, View]:
        """Return what stands behind one answer."""
        lineage = self.lineage(tenant)
        traced = trace(lineage, record)
        return traced, around(lineage, traced.closure.start, traced.closure)

    def named(self, tenant: Tenant, text: str, at: datetime | None = None) -> Ref:
        """Return the thing that a person means: its newest version by name, or one by digest or by kind and digest.

        Raises:
            NotFound: nothing is called so.
            UsageError: more than one thing begins with these digits.
        """
        lineage = self.lineage(tenant, at)
        kind, colon, rest = text.partition(":")
        kinds = tuple(k for k in Kind if k.value == kind) if colon and kind != "sha256" else ()
        wanted = rest if kinds else text
        known = self.names(tenant)
        short = next((name for name, given in known.items() if given == wanted), "")
        for one in kinds or _FOUND_BY_NAME:
            ids = [name for name in (wanted, short, f"{one}/{wanted}") if name]
            found = [ref for name in ids for ref in lineage.find(one, name)]
            if one is Kind.DEPLOYMENT:
                found += [
                    t.ref for t in lineage.of_kind(one) if any(m.facts.get("deployment") == wanted for m in t.marks)
                ]
            found = list(dict.fromkeys(found))
            if len(found) > 1 and not lineage.thing(found[-1]).name:
                raise UsageError(f"{len(found)} things begin with {wanted[:32]!r}; give more of the digest")
            if found:
                return found[-1]
        raise NotFound(f"no statement names a model, a dataset, a run or a deployment {text[:80]!r}")

    def _scratch(self, tenant: Tenant, at: datetime | None = None) -> Lineage:
        with self.at_once():
            return Lineage.of(tenant, self.evidence.statements(tenant, _WANTED, at=at), demo=self.is_demo(tenant))

    def _caught_up(self, kept: Lineage) -> Lineage:
        new = self._newer(kept)
        if any(one.envelope.statement.predicate in KEY_EVENTS for one in new):
            return self._scratch(kept.tenant)  # they change what older statements are worth
        return kept.extended(new)

    def _newer(self, kept: Lineage) -> list[LoggedStatement]:
        new: list[LoggedStatement] = []
        before = None
        while True:
            page = self.evidence.page(kept.tenant, before=before, limit=_PAGE, predicates=_WANTED)
            unseen = [one for one in page if one.entry > kept.last]
            new += unseen
            if len(unseen) < _PAGE:
                return new
            before = page[-1].entry
