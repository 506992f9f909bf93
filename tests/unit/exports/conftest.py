"""A status of every kind over a real log: satisfied, failed, stale, missing, and evidence that does not count."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.exports.evidence import entries
from ringfence.exports.model import Facts
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant
from ringfence.kernel.statement import Strength, Subject
from ringfence.obligations import board, catalog
from ringfence.obligations.records import Records
from ringfence.testing.ledger import LabLog
from ringfence.testing.tampering import lab

DIGEST = "sha256:" + "ab" * 32
SCOPE = {
    "category": "essential",
    "provision": "3(1)(a)",
    "sizeClass": "large",
    "binds2690": True,
    "jurisdiction": "DE",
    "financialEntity": False,
    "personalData": True,
    "systems": [],
    "products": [],
    "profileDigest": DIGEST,
    "rulesDigest": DIGEST,
}


def scoped(log, **changes):
    return log.state("entity.classification", SCOPE | changes, strength=Strength.DOCUMENTED, subjects=subject("entity"))


def subject(name):
    return (Subject(name, Digest.of(name.encode())),)


def facts_of(log, at=None, *, demo=False):
    known = catalog.load()
    statements = log.statements(log.tenant)
    found = board.compute(known, Records.of(log.tenant, statements, demo=demo), at or log.now)
    by_entry = {one.entry: one for one in statements}
    return Facts(known, found, {entry: by_entry[entry] for entry in entries(found)}, log.origin)


@pytest.fixture(scope="session")
def told():
    """A log in which a scope is signed, a registration is wrong, a heartbeat has run out, and a key is revoked."""
    log = lab()
    log.state("log.heartbeat", {"gaps": 0}, by="control")
    log.advance(days=40)
    registered = {"standing": "accepted", "receipt": DIGEST, "scopeDigest": DIGEST, "differences": 2}
    registered |= {"changesOpen": 0, "changesLate": 0}
    log.state("registration.receipt", registered, strength=Strength.DOCUMENTED, subjects=subject("registry/DE"))
    scoped(log)
    log.state("mgmt.approval", {"untold": True}, strength=Strength.DECLARED)
    log.advance(minutes=1)
    return log


@pytest.fixture(scope="session")
def facts(told):
    return facts_of(told, told.now + timedelta(minutes=1))


@pytest.fixture(scope="session")
def empty():
    log = LabLog(tenant=Tenant("nobody"))
    log.entries.clear()
    return facts_of(log)


@pytest.fixture(scope="session")
def few(facts):
    """The same with the controls alone that evidence speaks of, and one: small enough to be walked often."""
    shown = tuple(r for r in facts.board.controls if r.entries and r in facts.assessed) + facts.assessed[-1:]
    serves = {name for result in shown for name in result.control.obligations}
    names = {result.control.id for result in shown}
    known = replace(
        facts.catalog,
        controls=tuple(result.control for result in shown),
        obligations={name: one for name, one in facts.catalog.obligations.items() if name in serves},
        requirements={name: one for name, one in facts.catalog.requirements.items() if one.control in names},
    )
    duties = tuple(duty for duty in facts.board.duties if duty.obligation.id in serves)
    return replace(facts, catalog=known, board=replace(facts.board, controls=shown, duties=duties))


@pytest.fixture(scope="session")
def outside():
    """The status of an entity that signed that it is out of scope."""
    log = LabLog()
    log.advance(seconds=1)
    scoped(log, category="out_of_scope", binds2690=False, personalData=False)
    return facts_of(log)
