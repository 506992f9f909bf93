"""The Proof page: whether a stranger would come to the same result, and what he needs for it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.frontends.live import proof, published
from ringfence.frontends.page import Pages, View
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.ledger.custody import HEAD_EXPORTED, exported_heads
from ringfence.ledger.explorer.model import Sources
from ringfence.ledger.model import LoggedStatement, SignedCheckpoint
from ringfence.reports import bundle
from ringfence.reports.model import REPORT_EXPORTED
from ringfence.signing.custody import Held, State

SHOWN = 8  # packs
COMMAND = "ringfence status --proof"
SCRIPTS = ("verify_pack.py", "statements.py", "successions.py", "verify_acts.py", "witnesses.py")
ZIPAPP = "recheck.pyz"

Reader = Annotated[Person, Depends(require("ledger.read"))]


class Log(Protocol):
    """What the page reads of the log."""

    def head(self) -> SignedCheckpoint: ...
    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> list[LoggedStatement]:
        """Return a tenant's statements in log order."""
        ...


class Anchors(Protocol):
    """What the page reads of those who vouch for heads."""

    def until(self) -> datetime | None: ...
    def witnesses(self) -> Sequence[Any]: ...
    def conflicts(self, tenant: Tenant) -> Sequence[LoggedStatement]: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """Where the page finds its facts."""

    log: Log
    anchors: Anchors
    sources: Callable[[Tenant], Sources]
    keys: Callable[[Tenant], Sequence[Held]]
    clock: Clock


@dataclass(frozen=True, slots=True)
class Window:
    """How much of the log rests on the operator's word alone."""

    size: int
    covered: int  # by the largest head that was handed out
    exported_at: datetime | None
    vouched_until: datetime | None  # by the key of another party

    @property
    def open(self) -> int:
        """Return how many entries no exported head covers."""
        return max(self.size - self.covered, 0)


@dataclass(frozen=True, slots=True)
class Custody:
    """How many keys in force lie in one kind of place."""

    place: str
    keys: int
    copied: bool  # whether a copy of the file is all that somebody needs


def window(log: Log, anchors: Anchors, tenant: Tenant) -> Window:
    """Return how far the log is fixed outside."""
    heads = exported_heads(log.statements(tenant, (HEAD_EXPORTED,)))
    newest = max(heads, key=lambda head: head.size, default=None)
    covered, exported_at = (newest.size, newest.at) if newest else (0, None)
    return Window(published(log), covered, exported_at, anchors.until())


def custody(keys: Iterable[Held]) -> list[Custody]:
    """Count the keys in force by where they lie, the least protected first."""
    places = Counter(held.kept[-1].custody for held in keys if held.state is State.IN_FORCE and held.kept)
    found = [Custody(place, count, place == "file-plain") for place, count in places.items()]
    return sorted(found, key=lambda one: (not one.copied, one.place))


@cache
def scripts() -> Mapping[str, bytes]:
    """Return the auditors' scripts by name: as the wheel ships them, or from the documentation of a checkout."""
    beside = Path(__file__).parents[2] / "docs" / "auditors"
    shipped = Path(str(resources.files("ringfence.reports"))) / "data"
    return {
        name: (folder / name).read_bytes()
        for name in SCRIPTS
        for folder in (beside, shipped)
        if (folder / name).is_file()
    }


@cache
def zipapp() -> bytes:
    """Return the zipapp that recomputes: made once, when somebody asks for it, since that takes seconds."""
    return bundle.zipapp()


def download(name: str) -> bytes:
    """Return a program with which a stranger checks; raise `NotFound` with those that there are."""
    if name == ZIPAPP:
        return zipapp()
    if name in scripts():
        return scripts()[name]
    raise NotFound(f"there is no {name[:40]!r} here; there are {', '.join((*scripts(), ZIPAPP))}")


def router(shown: Shown, pages: Pages) -> APIRouter:
    """Return the page and what it hands out."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/proof")
    def page(request: Request, caller: Reader) -> Response:
        """Show what a stranger can check, and what he has to take on somebody's word."""
        return pages.respond(
            request,
            "proof.html",
            View("Would a stranger come to the same result?", COMMAND, caller),
            **_facts(shown, caller.tenant),
        )

    @routes.get("/proof/{program}")
    def program(program: str, caller: Reader) -> Response:  # noqa: ARG001
        """Hand out a program that checks packs."""
        found = download(program)
        headers = {"content-disposition": f'attachment; filename="{program}"', "cache-control": "no-store"}
        return Response(found, media_type="application/octet-stream", headers=headers)

    return routes


def _facts(shown: Shown, tenant: Tenant) -> dict[str, Any]:
    packs = list(reversed(shown.log.statements(tenant, (REPORT_EXPORTED,))))
    held = shown.keys(tenant)
    newest = _newest(shown.log, tenant)
    return {
        "window": window(shown.log, shown.anchors, tenant),
        "head": shown.log.head() if published(shown.log) else None,
        "witnesses": shown.anchors.witnesses(),
        "conflicts": shown.anchors.conflicts(tenant),
        "custody": custody(held),
        "sources": shown.sources(tenant),
        "packs": packs[:SHOWN],
        "more_packs": max(len(packs) - SHOWN, 0),
        "newest": newest,
        "chip": proof(newest.entry, newest.envelope.digest) if newest else None,
        "programs": [*scripts(), ZIPAPP],
        "digests": {name: Digest.of(data).hex for name, data in scripts().items()},
    }


def _newest(log: Log, tenant: Tenant) -> LoggedStatement | None:
    """Return the newest head that was handed out, or the newest pack: what a stranger would hold in his hands."""
    found = log.statements(tenant, (HEAD_EXPORTED, REPORT_EXPORTED))
    return found[-1] if found else None


def document(shown: Shown, tenant: Tenant) -> dict[str, Any]:
    """Return the same as a JSON document."""
    found, sources = window(shown.log, shown.anchors, tenant), shown.sources(tenant)
    return {
        "as_of": to_text(shown.clock.now()),
        "size": found.size,
        "covered": found.covered,
        "operator_only": found.open,
        "vouched_until": to_text(found.vouched_until) if found.vouched_until else None,
        "witnesses": len(shown.anchors.witnesses()),
        "conflicts": len(shown.anchors.conflicts(tenant)),
        "custody": {one.place: one.keys for one in custody(shown.keys(tenant))},
        "sources": len(sources.sources),
        "gaps": sources.gaps,
        "packs": len(shown.log.statements(tenant, (REPORT_EXPORTED,))),
        "programs": {name: f"sha256:{Digest.of(data).hex}" for name, data in scripts().items()},
    }


def api(shown: Shown) -> APIRouter:
    """Return the route."""
    routes = APIRouter(tags=["ledger"])

    @routes.get("/proof")
    def proved(caller: Reader) -> dict[str, Any]:
        """Say what a stranger can check, and what he has to take on somebody's word."""
        return document(shown, caller.tenant)

    return routes
