"""One real thing of each kind in a tenant, made by the real services; its ids by the word that stands before them.

things = everything(stage)      # {"nodes": "gateway", "incidents": "i-…", …}: /api/v1/nodes/{name} names a node
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

from ringfence.artifacts import statements as datasets
from ringfence.artifacts.model import Custody, DatasetName, dataset_id
from ringfence.customers.model import Wanted as Customer
from ringfence.gateway.deployments import Attach
from ringfence.gateway.hotpath.recovery import open_journal
from ringfence.gateway.keys import Wanted
from ringfence.gateway.model import DeploymentName
from ringfence.governance.exceptions import statements as exceptions
from ringfence.governance.opinions import statements as opinions
from ringfence.governance.resolutions.model import MEASURES, Proposal
from ringfence.governance.risks import statements as risks
from ringfence.identity.reviews.model import Decision
from ringfence.identity.reviews.statements import decided
from ringfence.identity.service import hashed
from ringfence.identity.signin.keyring import PasskeyTable
from ringfence.identity.signin.model import Owner, Passkey
from ringfence.kernel.actor import Level, Role
from ringfence.keyrelease.model import Refusal
from ringfence.reports.model import REPORT_EXPORTED
from ringfence.reports.service import draft_of
from ringfence.retention.model import Scope
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing import judging, receipts
from ringfence.testing.artifacts import sealed_in_memory
from ringfence.testing.callers import World
from ringfence.testing.gating import GateLab
from ringfence.testing.home import TENANT, signed
from ringfence.testing.keyrelease import lease
from ringfence.testing.screened import looked_at
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
        "leases": _lease(stage),
        "customers": stage.services.customers.add(stage.home.actor(), Customer(MARK))[0],
        "resolutions": (resolution := _resolution(stage)),
        "decisions": resolution,
        "risks": _risk(stage),
        "exceptions": _exception(stage),
        "opinions": _opinion(stage),
        "sources": stage.services.outbox.signer.key,
    }
    found["answers"] = found["receipts"]
    outside = GateLab(stage.services, stage.home, name=f"{MARK}-outside")
    found["intakes"] = found["intake"] = outside.bring(owner=MARK).id
    found["models"] = outside.name
    found["things"] = found["lineage"] = f"dataset:{_seal(stage, found['datasets'])}"
    found["acts"] = found["sign"] = _act(stage, found)
    _name_elsewhere(stage)
    stage.services.ledger.integrate()
    found["packs"] = _pack(stage)
    found["systems"] = _system(stage)
    entry = stage.services.ledger.statements(TENANT)[0].entry
    return found | dict.fromkeys(("proofs", "statements", "evidence"), str(entry))


def _service(stage: Stage) -> str:
    scope = frozenset({"event.ingest"})
    return stage.services.access.accounts.enrol(stage.home.actor(), MARK, Role.SECURITY, scope, 9).account.id


def _seal(stage: Stage, dataset: str) -> str:
    return stage.services.artifacts.one(TENANT, dataset_id(dataset)).seal.hex


def _dataset(stage: Stage) -> str:
    made, name = sealed_in_memory({"a": b"x"}), DatasetName(MARK)
    draft = datasets.sealed(made.seal, made.digest, Custody.EXTERNAL, name)
    posted = signed(stage.services, stage.home.people[Role.ENGINEER], draft)
    sealed, _ = stage.services.artifacts.seal(stage.home.actor(Role.ENGINEER), name, *posted)
    looked_at(stage.services, stage.home, sealed)
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


def _lease(stage: Stage) -> str:
    made = lease(1, stage.clock.now(), name=MARK)
    with stage.services.keyrelease.transaction():
        stage.services.keyrelease.store.put_lease(made)
        stage.services.keyrelease.store.put_refusal(TENANT, Refusal("gateway", MARK, ("no-rule",), (), made.granted_at))
    return made.id


def _resolution(stage: Stage) -> str:
    wanted = stage.services.governing.propose(stage.home.actor(), Proposal(MEASURES, MARK, MARK))
    posted = signed(stage.services, stage.home.people[Role.OWNER], wanted)
    return str(stage.services.governing.open(stage.home.actor(), *posted).id)


def _system(stage: Stage) -> str:
    """Sign a scope that lists an AI system."""
    services, profile = stage.services, f"name: {MARK}\nai_systems:\n  - name: {MARK}\n    kind: system\n"
    posted = signed(services, stage.home.people[Role.OWNER], services.scopes.drafted(TENANT, profile)[1][0])
    services.scopes.take(stage.home.actor(), "scope", *posted)
    services.ledger.integrate()
    return services.scopes.systems(TENANT)[0].id


def _risk(stage: Stage) -> str:
    draft = risks.registered([replace(judging.ROW, title=MARK, owner=None, owner_words=MARK)])
    posted = signed(stage.services, stage.home.people[Role.OWNER], draft)
    stage.services.judgements.risks.register(stage.home.actor(), *posted)
    return judging.RISK


def _exception(stage: Stage) -> str:
    last = stage.clock.now().date() + timedelta(days=9)
    draft = exceptions.requested(replace(judging.WANTED, owner=stage.home.actor().id, until=last, reason=MARK))
    posted = signed(stage.services, stage.home.people[Role.OWNER], draft)
    stage.services.judgements.exceptions.request(stage.home.actor(), *posted)
    return judging.EXCEPTION


def _opinion(stage: Stage) -> str:
    people, thought = judging.Signers(stage.services, stage.home), stage.services.judgements.opinions
    people.key(Role.AUDITOR)
    now, last = thought.on(TENANT, judging.GIVEN.control), stage.clock.now().date() + timedelta(days=9)
    given = replace(judging.GIVEN, rules=now.rules, status=now.state, until=last, sentence=MARK)
    thought.give(people.actor(Role.AUDITOR), *people.passkey(Role.AUDITOR, opinions.given(given)))
    return judging.OPINION


def _pack(stage: Stage) -> str:
    wanted = draft_of(stage.services.packs.preview(TENANT).to_json())
    posted = signed(stage.services, stage.home.people[Role.OWNER], wanted)
    stage.services.packs.issue(*posted, by=stage.home.actor())
    return str(stage.services.ledger.statements(TENANT, (REPORT_EXPORTED,))[-1].entry)


def _act(stage: Stage, found: dict[str, str]) -> str:
    """Prepare an act that nobody has signed yet."""
    wanted = decided(found["reviews"], found["people"], Decision.CONFIRMED)
    return stage.services.acting.desk.prepare(stage.home.actor(Role.SECURITY), wanted, found["reviews"]).id


def _name_elsewhere(stage: Stage) -> None:
    person = stage.home.people[Role.AUDITOR].id
    stage.services.access.federation.link(stage.home.actor(), person, "https://provider.example", MARK)
