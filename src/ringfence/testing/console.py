"""The console over a made-up log, for tests of its pages: real statements, real proofs, real rules, no database."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
import uvicorn
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI

from ringfence import today
from ringfence.frontends import http, page, parts
from ringfence.frontends.http import Credential
from ringfence.frontends.live import Live
from ringfence.frontends.page import ClockSummary, Pages
from ringfence.frontends.waiting import Item, Kind
from ringfence.kernel.actor import RECOGNISED, Caller, Person, Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Refused
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Strength, Subject
from ringfence.ledger import console
from ringfence.ledger.explorer import console as explorer
from ringfence.ledger.explorer.service import Explorer
from ringfence.ledger.issuers import ENROLLED, REVOKED, Issuers, fold
from ringfence.ledger.model import LoggedStatement, SignedCheckpoint
from ringfence.ledger.succession import LogKeys
from ringfence.obligations import board, catalog, history
from ringfence.obligations.frameworks import console as frameworks
from ringfence.obligations.history import History
from ringfence.obligations.model import Catalog
from ringfence.obligations.ports import Remark
from ringfence.obligations.reasons import console as reasons
from ringfence.obligations.records import Records
from ringfence.obligations.results import Board
from ringfence.obligations.standings import console as standings
from ringfence.obligations.threats import console as threats
from ringfence.obligations.threats.ports import Asset, Bound
from ringfence.testing.explorer import EveryStatement
from ringfence.testing.ledger import PERSON, START, LabLog

_START_SECONDS = 20


@dataclass(slots=True)
class OpenDoor:
    """Let everybody in as one person of one tenant; actions in `refused` are not theirs."""

    tenant: Tenant
    refused: frozenset[str] = frozenset()
    person: Person | None = None

    def authenticate(self, _credential: Credential) -> Caller:
        """Return the person."""
        return Caller(self.person or Person(PERSON, self.tenant, Role.SECURITY), RECOGNISED)

    def authorise(self, _caller: Caller, action: str) -> None:
        """Return, unless the action is refused."""
        if action in self.refused:
            raise Refused(f"your role may not {action}")


@dataclass(slots=True)
class LabConsole:
    """What the pages ask of ledger, status and clock, answered from a `LabLog`."""

    log: LabLog = field(default_factory=LabLog)
    items: list[Item] = field(default_factory=list)
    mine: list[Item] = field(default_factory=list)
    held: list[Asset] = field(default_factory=list)
    measured: list[Bound] = field(default_factory=list)
    remarks: dict[str, list[Remark]] = field(default_factory=dict)

    def now(self) -> datetime:
        """Return the time that the log has."""
        return self.log.now

    def waiting(self, _tenant: Tenant) -> list[Item]:
        """Return what a test lets wait."""
        return self.items

    def inbox(self, _person: Person) -> list[Item]:
        """Return what a test lets wait for the signature of whoever looks."""
        return self.mine

    def clocks(self, _tenant: Tenant) -> ClockSummary | None:
        """Return the clocks among what waits."""
        dues = [item.due for item in self.items if item.due]
        return ClockSummary(len(dues), min(dues)) if dues else None

    def keys(self) -> LogKeys:
        """Return the log's two verifier keys."""
        return LogKeys(self.log.origin, self.log.log_keys)

    def head(self) -> SignedCheckpoint:
        """Return the checkpoint over everything."""
        return self.log.head()

    def inclusion_proof(self, entry: int, size: int) -> tuple[bytes, ...]:
        """Prove that an entry is in the log."""
        return self.log.inclusion_proof(entry, size)

    def statements(
        self, tenant: Tenant, predicates: Iterable[PredicateName] | None = None, *, at: datetime | None = None
    ) -> list[LoggedStatement]:
        """Return a tenant's statements in log order."""
        return self.log.statements(tenant, None if predicates is None else list(predicates), at=at)

    def page(
        self,
        tenant: Tenant,
        *,
        before: int | None = None,
        limit: int = 50,
        predicates: Iterable[PredicateName] | None = None,
        at: datetime | None = None,
    ) -> list[LoggedStatement]:
        """Return a tenant's statements below entry `before`, newest first."""
        found = self.statements(tenant, predicates, at=at)
        return [logged for logged in reversed(found) if before is None or logged.entry < before][:limit]

    def named(self, tenant: Tenant, entries: Collection[int], *, at: datetime | None = None) -> list[LoggedStatement]:
        """Return a tenant's statements at these entries."""
        return [logged for logged in self.statements(tenant, at=at) if logged.entry in entries]

    def issuers(self, tenant: Tenant, at: datetime | None = None) -> Issuers:
        """Return every key that was enrolled."""
        keys = self.statements(tenant, (ENROLLED, REVOKED), at=at)
        logged = [(one.recorded_at, one.envelope, one.entry) for one in keys]
        return fold(logged, self.log.public("root")).proven(self.log.vouched_before)

    @property
    def explorer(self) -> Explorer:
        """Return the search over all of it."""
        return Explorer(self, EveryStatement(self.statements))

    def tally(self, tenant: Tenant, *, at: datetime | None = None) -> Mapping[PredicateName, int]:
        """Count a tenant's statements by type."""
        return Counter(logged.envelope.statement.predicate for logged in self.statements(tenant, at=at))

    @property
    def catalog(self) -> Catalog:
        """Return the rules that ship."""
        return catalog.load()

    def history(self, tenant: Tenant, control: str, at: datetime | None = None) -> History:
        """Return when a control turned, as the product does."""
        rules = self.catalog
        found = Records.of(tenant, self.statements(tenant, board.predicates(rules)), demo=self.log.demo)
        return history.history(rules.control(control), rules, found, at or self.now())

    def assets(self, _tenant: Tenant) -> list[Asset]:
        """Return what a made-up team holds."""
        return self.held

    def bounds(self, _tenant: Tenant) -> list[Bound]:
        """Return what its runs measured."""
        return self.measured

    def beside(self, _tenant: Tenant, _at: datetime | None) -> Mapping[str, Sequence[Remark]]:
        """Return what people say beside its controls."""
        return self.remarks

    def board(self, tenant: Tenant, at: datetime | None = None) -> Board:
        """Compute the status of every control, as the product does."""
        rules = catalog.load()
        found = self.statements(tenant, board.predicates(rules))
        return board.compute(rules, Records.of(tenant, found, demo=self.log.demo), at or self.now())


def app(lab: LabConsole, *, refused: frozenset[str] = frozenset()) -> FastAPI:
    """Return the console over a made-up log; everybody is let in."""
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    made.state.door = OpenDoor(lab.log.tenant, refused)
    pages = Pages(lab, is_demo=lambda _tenant: lab.log.demo, clocks=lab.clocks)
    made.state.pages = pages
    http.install(made)
    page.install(made)
    made.include_router(today.router(lab, lab, pages, lab, lab, lab.inbox))
    live = Live(lab)
    made.include_router(standings.router(lab, pages))
    made.include_router(reasons.router(lab, pages, live, lab.beside))
    made.include_router(frameworks.router(lab, pages))
    made.include_router(threats.router(lab, lab.assets, lab.bounds, pages))
    made.include_router(explorer.router(lab.explorer, lab, pages))
    made.include_router(console.router(lab, pages))
    made.include_router(parts.router(pages))
    return made


def fetch(made: FastAPI, path: str, **headers: str) -> httpx.Response:
    """Return the answer to one GET, without a server."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(made, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://console.test") as client:
            return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    with start_blocking_portal() as portal:  # a browser test's driver keeps a loop in this thread
        return portal.call(ask)


@contextmanager
def serving(lab: LabConsole) -> Iterator[str]:
    """Serve the console of `lab` on the loopback address, and give its URL."""
    with served(app(lab)) as address:
        yield address


@contextmanager
def served(made: FastAPI) -> Iterator[str]:
    """Serve an app on the loopback address, and give its URL."""
    with served_at(lambda _address: made) as address:
        yield address.replace("localhost", "127.0.0.1")


@contextmanager
def served_at(build: Callable[[str], FastAPI]) -> Iterator[str]:
    """Serve an app that is told its address, by the name that browsers bind passkeys to; give that address."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = f"http://localhost:{door.getsockname()[1]}"
        with _running(build(address), door):
            yield address


@contextmanager
def _running(made: FastAPI, door: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(made, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([door],), daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=_START_SECONDS)


def sample(*, demo: bool = False) -> LabConsole:
    """Tell a week of a made-up team: some controls hold, one turned red today, others still need a person."""
    log = LabLog(now=START - timedelta(days=6), demo=demo)
    log.advance(minutes=1)
    scans, labels = (Subject(f"dataset/{name}", Digest.of(name.encode())) for name in ("4c1f09ab", "77e0d3c2"))
    for subject, name in ((scans, "chest scans 2026"), (labels, "labels")):
        log.state("dataset.sealed", _sealed(subject), subjects=(subject,), details={"name": name})
        log.advance(minutes=7)
        log.state("dataset.verified", _verified(subject, "pass"), subjects=(subject,))
        log.advance(hours=3)
    log.state("access.register", _ACCESS, by="control")
    log.state("key.lifecycle", _LIFECYCLE, by="control")
    log.state("entity.classification", _ENTITY, strength=Strength.DOCUMENTED)
    log.advance(days=2)
    log.state("log.chain_verified", _CHAIN, by="control")
    log.export_head()
    log.advance(days=3, hours=10)
    log.state("dataset.verified", _verified(labels, "fail"), subjects=(labels,))
    log.state("log.heartbeat", _HEARTBEAT, by="control")
    log.advance(minutes=4)
    return LabConsole(log)


def busy(*, demo: bool = False) -> LabConsole:
    """Tell the same week, with something of every kind that waits for a person."""
    lab = sample(demo=demo)
    now, room = lab.now(), "/incidents/i-00000001"
    lab.items += [
        Item(Kind.CUT_OFF, "node web is cut off; two people release it", "/nodes/web", None, _RELEASE),
        Item(Kind.UNDECIDED, "Is it significant? ssh guessing then success", room, now + _HOURS, _TRIAGE),
        Item(Kind.CLOCK, "NIS2 early warning", room, now - _HOURS / 7),
        Item(Kind.QUEUED, "isolate node db: 20 % of the nodes are cut off already", "/findings/f-1"),
        Item(Kind.NOT_SENT, "alert to https://" + "hook." * 30 + ": timed out", "/findings/f-1"),
    ]
    return lab


def _sealed(subject: Subject) -> dict[str, object]:
    root = Digest.of(subject.digest.value).hex
    names = ("ciphertextRoot", "plaintextRoot", "keyCommitment")
    return {
        "dataset": subject.name.removeprefix("dataset/"),
        "epoch": 1,
        "suite": "rf-aes256gcm-hkdf-v1",
        "chunkSize": 1 << 20,
        "objects": 1_284,
        "bytes": 48_318_382_080,
        "keyCustody": "file-passphrase",
        **dict.fromkeys(names, root),
    }


def _verified(subject: Subject, result: str) -> dict[str, object]:
    dataset = subject.name.removeprefix("dataset/")
    failed = 0 if result == "pass" else 3
    return {"dataset": dataset, "epoch": 1, "mode": "storage", "result": result, "chunks": 46_080, "failed": failed}


_HOURS = timedelta(hours=21)
_RELEASE = "ringfence node release web --reason TEXT"
_TRIAGE = "ringfence incident triage i-00000001"
_ACCESS = {
    "people": 4,
    "roles": {"owner": 1, "engineer": 2, "auditor": 1},
    "policyDigest": Digest.of(b"policy").hex,
    "leaversOverdue": 0,
    "keysWithoutPerson": 0,
}
_LIFECYCLE = {"keys": 5, "pastRotation": 0, "unprotected": 2, "kekCustody": "file-plain", "rootCustody": "exported"}
_ENTITY = {
    "category": "important",
    "provision": "NIS2 3(2)",
    "binds2690": True,
    "jurisdiction": "DE",
    "sizeClass": "medium",
    "supplyChainDutyOnly": False,
    "profileDigest": str(Digest.of(b"profile")),
    "rulesDigest": str(Digest.of(b"rules")),
    "undetermined": [],
    "systems": ["triage-1"],
}
_CHAIN = {"size": 10, "root": Digest.of(b"root").hex, "entries": 10, "checkpoints": 4, "failures": 0, "sources": 2}
_HEARTBEAT = {"sources": 3, "statements": 14, "gaps": 0, "unexplained": 0, "late": 0}
