"""One real thing of each kind in a tenant, made by the real services; its ids by the word that stands before them.

things = everything(stage)      # {"nodes": "gateway", "incidents": "i-…", …}: /api/v1/nodes/{name} names a node
"""

import asyncio
from dataclasses import replace

from ringfence.artifacts import statements as datasets
from ringfence.artifacts.model import Custody, DatasetName
from ringfence.gateway.deployments import Attach
from ringfence.gateway.hotpath.recovery import open_journal
from ringfence.gateway.keys import Wanted
from ringfence.gateway.model import DeploymentName
from ringfence.identity.reviews.model import Decision
from ringfence.identity.reviews.statements import decided
from ringfence.identity.service import hashed
from ringfence.identity.signin.keyring import PasskeyTable
from ringfence.identity.signin.model import Owner, Passkey
from ringfence.kernel.actor import Level, Role
from ringfence.retention.model import Scope
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing import receipts
from ringfence.testing.artifacts import sealed_in_memory
from ringfence.testing.callers import World
from ringfence.testing.home import TENANT, signed
from ringfence.testing.signin import SITE
from ringfence.testing.staged import Stage

MARK = "zebra-of-main"  # stands in every name that is given here


def everything(stage: Stage) -> dict[str, str]:
    """Make one thing of each kind, beside what the stage has, and return the ids."""
    found = {
        "people": stage.home.people[Role.ENGINEER].id,
        "services": _service(stage),
        "datasets": _dataset(stage),
        "nodes": "gateway",
        "deployments": _deployment(stage),
        "api-keys": _api_key(stage),
        "findings": stage.findings["waiting"],
        "incidents": str(stage.incidents["late"]),
        "receipts": _receipt(stage),
        "passkeys": _passkey(stage),
        "sessions": _session(stage),
        "reviews": stage.services.access.reviews.start(stage.home.actor(), 14).id,
        "holds": _hold(stage),
        "sources": stage.services.outbox.signer.key,
    }
    found["acts"] = found["sign"] = _act(stage, found)
    _name_elsewhere(stage)
    stage.services.ledger.integrate()
    entry = stage.services.ledger.statements(TENANT)[0].entry
    return found | dict.fromkeys(("proofs", "statements", "evidence"), str(entry))


def _service(stage: Stage) -> str:
    scope = frozenset({"event.ingest"})
    return stage.services.access.accounts.enrol(stage.home.actor(), MARK, Role.SECURITY, scope, 9).account.id


def _dataset(stage: Stage) -> str:
    made, name = sealed_in_memory({"a": b"x"}), DatasetName(MARK)
    draft = datasets.sealed(made.seal, made.digest, Custody.EXTERNAL, name)
    posted = signed(stage.services, stage.home.people[Role.ENGINEER], draft)
    stage.services.artifacts.seal(stage.home.actor(Role.ENGINEER), name, *posted)
    return str(made.seal.dataset)


def _deployment(stage: Stage) -> str:
    gateway = replace(stage.services.serving.gateway, engines=World())
    wanted = Attach(DeploymentName(MARK), "http://127.0.0.1:9/v1")
    return str(gateway.attach(stage.home.actor(Role.ENGINEER), wanted)[0].name)


def _api_key(stage: Stage) -> str:
    issued = stage.services.serving.gateway.issue_key(stage.home.actor(Role.ENGINEER), Wanted(MARK, ()))
    return str(issued.key.id)


def _receipt(stage: Stage) -> str:
    services = stage.services
    folder = services.home.path / "gateway"
    key = Ed25519Signer.from_seed(services.home.gateway_keys(None).secret("gateway"))
    made = receipts.closer(folder, key=key, clock=stage.clock)
    closer = replace(made, log=services.home.log, demo_tenants=frozenset(services.demo_tenants))

    async def answer() -> None:
        folder.mkdir(exist_ok=True)
        journal = open_journal(folder, closer)
        await receipts.answered(journal, (1,), tenant=TENANT)
        await asyncio.to_thread(journal.close)

    asyncio.run(answer())
    services.receiving.intake()
    return str(receipts.request(1))


def _passkey(stage: Stage) -> str:
    person, now = stage.home.people[Role.CUSTOMER].id, stage.clock.now()
    key = Passkey(
        credential=b"credential",
        owner=Owner(TENANT, person),
        public_key=b"\4" + bytes(64),
        site=SITE,
        sign_count=0,
        name=MARK,
        transports=(),
        backed_up=False,
        enrolled_at=now,
        enrolled_by=person,
    )
    with stage.services.database.transaction():
        PasskeyTable(stage.services.database).add(key)
    return key.id


def _session(stage: Stage) -> str:
    sessions = stage.services.signin.sessions
    secret = sessions.open(Owner(TENANT, stage.home.people[Role.OWNER].id), Level.LINK)
    found = sessions.sessions.by_hash(hashed(secret))
    assert found is not None
    return found.id


def _hold(stage: Stage) -> str:
    scope = Scope(stage.home.people[Role.ENGINEER].id, "", "", None, None)
    return str(stage.services.retention.place(stage.home.actor(), scope, MARK)[0].id)


def _act(stage: Stage, found: dict[str, str]) -> str:
    """Prepare an act that nobody has signed yet."""
    wanted = decided(found["reviews"], found["people"], Decision.CONFIRMED)
    return stage.services.acting.desk.prepare(stage.home.actor(Role.SECURITY), wanted, found["reviews"]).id


def _name_elsewhere(stage: Stage) -> None:
    person = stage.home.people[Role.AUDITOR].id
    stage.services.access.federation.link(stage.home.actor(), person, "https://provider.example", MARK)
