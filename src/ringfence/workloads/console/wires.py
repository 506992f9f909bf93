"""Join the pages that start something with what they start."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from fastapi import APIRouter

from ringfence.artifacts import blobs
from ringfence.artifacts.here import SealingHere
from ringfence.artifacts.keyring import for_sealing
from ringfence.artifacts.ports import Keyring
from ringfence.artifacts.service import Artifacts
from ringfence.compute.lifecycle import Order
from ringfence.compute.offers import console as offers
from ringfence.compute.offers.console import OfferPages
from ringfence.customers.model import Handed
from ringfence.customers.service import Customers
from ringfence.cutoff.wires import CutOff
from ringfence.frontends.live import Live
from ringfence.frontends.page import Pages, Prepare
from ringfence.identity.service import Identity
from ringfence.installation import Home
from ringfence.kernel.actor import Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.identifier import Tenant
from ringfence.ledger.issuers import ENROLLED
from ringfence.ledger.service import Ledger
from ringfence.obligations.service import Status
from ringfence.reports.model import REPORT_EXPORTED
from ringfence.reports.service import Packs
from ringfence.settings import Settings
from ringfence.storage.outbox import Outbox
from ringfence.workloads.collecting.observing import Collectors
from ringfence.workloads.console import answers, collecting, data, packs, steps
from ringfence.workloads.console.answers import AnswerPages
from ringfence.workloads.console.asking import Asking
from ringfence.workloads.console.collecting import CollectorPages
from ringfence.workloads.console.data import DataPages
from ringfence.workloads.console.jobs import Job, Jobs
from ringfence.workloads.console.packs import PackPages
from ringfence.workloads.console.steps import Step
from ringfence.workloads.deploying import Deploying
from ringfence.workloads.receiving import Receiving
from ringfence.workloads.serving import Serving

SOON = 3.0  # seconds: a namespace node answers within one


class Parts(Protocol):
    """What is started from pages: the services of an installation."""

    @property
    def home(self) -> Home: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def artifacts(self) -> Artifacts: ...
    @property
    def status(self) -> Status: ...
    @property
    def packs(self) -> Packs: ...
    @property
    def customers(self) -> Customers: ...
    @property
    def cutoff(self) -> CutOff: ...
    @property
    def receiving(self) -> Receiving: ...
    @property
    def serving(self) -> Serving: ...
    @property
    def deploying(self) -> Deploying: ...


def routers(
    parts: Parts,
    pages: Pages,
    live: Live,
    collectors: Collectors,
    prepare: Prepare,
    signs: Callable[[Person], bool],
) -> Iterator[APIRouter]:
    """Yield the pages; they go before those that take any name in the same place."""
    jobs, allows = Jobs(parts.clock), parts.identity.policies.allows
    yield offers.router(OfferPages(parts.cutoff.compute, pages, _driving(parts, jobs), allows))
    yield collecting.router(CollectorPages(collectors, parts.status, jobs, pages, allows))
    yield data.router(DataPages(sealing(parts), parts.ledger, jobs, pages, live, prepare, signs, allows))
    yield packs.router(_packs(parts, pages, prepare, signs))
    asking = Asking(parts.serving.gateway, parts.serving.pulse.listens)
    receipts, trust = parts.receiving.receipts, parts.packs.trust
    path, deploying = parts.home.path, parts.deploying
    shown = AnswerPages(path, deploying, asking, receipts, trust, parts.ledger, jobs, pages, live, allows)
    yield answers.router(shown)


def _packs(parts: Parts, pages: Pages, prepare: Prepare, signs: Callable[[Person], bool]) -> PackPages:
    """Return the pages of packs; one that was made for a customer is composed as the customer's."""

    def handed(tenant: Tenant) -> dict[str, Handed]:
        return {made.report: made for made in parts.customers.register(tenant).packs}

    def composed(tenant: Tenant, entry: int) -> bytes:
        reports = {one.entry: one.envelope.digest for one in parts.ledger.statements(tenant, (REPORT_EXPORTED,))}
        made = handed(tenant).get(str(reports.get(entry)))
        if made is None:
            return parts.packs.again(tenant, entry)
        return parts.customers.again(tenant, made.entry)[1]

    def customers(tenant: Tenant) -> dict[str, str]:
        return {report: made.customer for report, made in handed(tenant).items()}

    return PackPages(parts.packs, composed, customers, parts.ledger, pages, prepare, signs)


def first_steps(parts: Parts, signs: Callable[[Person], bool]) -> Callable[[Person], Sequence[Step]]:
    """Return what tells somebody's tenant its first steps."""

    def of(caller: Person) -> Sequence[Step]:
        stated = parts.ledger.tally(caller.tenant)
        enrolled = parts.ledger.statements(caller.tenant, (ENROLLED,))
        since = enrolled[0].recorded_at if enrolled else None
        return steps.first_steps(stated, since, parts.clock.now(), signs=signs(caller))

    return of


def _driving(parts: Parts, jobs: Jobs) -> offers.Drive:
    """Go on with a node as far as it comes in a moment; the reconciler does so too."""

    def drive(caller: Person, order: Order) -> object:
        def work(_: Job) -> object:
            return parts.cutoff.compute.start(caller, order)

        return jobs.start(caller.tenant, f"start {order.name}", work).within(SOON)

    return drive


def sealing(parts: Parts) -> SealingHere:
    """Return what seals in this process, with the key-encryption key of the home."""

    @contextmanager
    def keyring() -> Iterator[Keyring]:
        with for_sealing(parts.home.path, Settings.from_environment().passphrase()) as opened:
            yield opened

    vaults = blobs.Home(parts.home.path)
    return SealingHere(parts.artifacts, vaults, keyring, secrets.token_bytes)
