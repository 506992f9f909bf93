"""Every route of the app, every role, the own tenant and another one's ids.

Routes come from the app and what a role may do from the policies, so that a new route is in the matrix by itself. What
`ringfence.testing.everything` makes is one real thing of each kind in the tenant `main`; whoever adds a kind of id adds
one there. A stranger is somebody of the tenant `other`, in every role.
"""

import base64
import re
from dataclasses import replace
from itertools import pairwise

import pytest

from ringfence.artifacts import statements as datasets
from ringfence.artifacts.checks.model import Check
from ringfence.compute import statements as nodes
from ringfence.governance.exceptions import statements as exceptions
from ringfence.governance.opinions import statements as opinions
from ringfence.governance.risks import statements as risks
from ringfence.governance.risks.statements import Accepting, Review
from ringfence.identity.policy import shipped
from ringfence.identity.reviews.model import Decision
from ringfence.identity.reviews.statements import decided
from ringfence.incidents import acts
from ringfence.incidents.model import Answer
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Strength
from ringfence.server import OPEN_PATHS, create_app
from ringfence.testing import judging, staged
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import served
from ringfence.testing.everything import MARK, everything
from ringfence.testing.home import TENANT, draft, make, signed
from ringfence.testing.routes import routes_of
from ringfence.testing.tenancy import OTHER, second
from ringfence.workloads.intake import statements as intake

OPEN = OPEN_PATHS
QUERIES = ({"limit": "500"}, {"q": MARK, "subject": f"dataset/{MARK}", "actor": MARK})
SLOW = {"POST /signin/recovery"}  # ten argon2id hashes; every role may, so that one is asked
STREAMS = {"/console/stream"}  # without an end: they have a test of their own below
# Well formed, and nobody's; by the word that stands before the id.
NOBODYS = {
    "people": "person-ffffffffffff",
    "services": "service-ffffffffffff",
    "reviews": "review-ffffffffffff",
    "proofs": "99999999",
    "statements": "99999999",
    "evidence": "99999999",
    "sources": "f" * 64,
    "datasets": "f" * 32,
    "nodes": "nothing-here",
    "deployments": "nothing-here",
    "api-keys": "k-ffffffffffff",
    "findings": "f-00000000",
    "incidents": "i-ffffffff",
    "receipts": "req-" + "f" * 32,
    "answers": "req-" + "f" * 32,
    "things": "dataset:" + "f" * 64,
    "lineage": "dataset:" + "f" * 64,
    "passkeys": "f" * 64,
    "sessions": "f" * 16,
    "records": "no.collector",
    "forms": "no.form",
    "record": "no.form",
    "classes": "no-class",
    "policies": "no-policy",
    "profiles": "no-profile",
    "overrides": "XXX-99",
    "controls": "XXX",
    "obligations": "no-provision",
    "frameworks": "no-framework",
    "proof": "no-program",
    "acts": "act-" + "f" * 32,
    "sign": "act-" + "f" * 32,
    "holds": "hold-ffffffffffff",
    "leases": "lease-ffffffffffff",
    "customers": "customer-ffffffffffff",
    "packs": "99999999",
    "systems": "ffffffffffff",
    "resolutions": "resolution-ffffffffffff",
    "decisions": "resolution-ffffffffffff",
    "risks": "risk-ffffffffffff",
    "exceptions": "exception-ffffffffffff",
    "opinions": "opinion-ffffffffffff",
    "models": "nothing-here",
    "intakes": "f" * 64,
    "intake": "f" * 64,
}
# Not ids of anything that a tenant has: a key's next place is told for every key alike; the rest is the product's.
NO_IDS = {
    "classes", "controls", "forms", "frameworks", "obligations", "overrides", "policies", "profiles", "proof",
    "record", "records", "sources",
}  # fmt: skip
FORMS = {
    "/customers/{customer}/remove": {"because": "look"},
    "/customers/{customer}/pack": {},
    "/retention/holds/{hold}/release": {"because": "look"},
    "/access/people/{person}/remove": {"reason": "left"},
    "/access/people/{person}/role": {"role": "auditor"},
    "/access/people/{person}/names": {"source": "hr", "subject": "7"},
    "/access/services/{service}/revoke": {"reason": "left"},
    "/decisions/{resolution}/vote": {"choice": "agree"},
    "/risks/{risk}/treat": {"treatment": "avoid", "plan": "x", "residual_likelihood": "1", "residual_impact": "1"},
    "/risks/{risk}/review": {"likelihood": "1", "impact": "1", "review_on": "2030-01-01", "note": "x"},
    "/risks/{risk}/accept": {"until": "2030-01-01", "reason": "x"},
    "/exceptions/{exception}/approve": {},
    "/exceptions/{exception}/end": {"reason": "look"},
    "/opinions/{opinion}/withdraw": {"reason": "look"},
    "/models/intake/{intake}": {"decision": "refuse", "reason": "look"},
    "/access/reviews/{review}/decide": {"subject": NOBODYS["people"], "decision": "removed"},
}  # of the console; the rest takes JSON
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
PLAIN = {
    "customers/{customer}": {"name": "Other"},
    "customers/{customer}/remove": {"because": "look"},
    "customers/{customer}/answers": {"questions": [{"id": "1"}]},
    "people/{person}/remove": {"reason": "left"},
    "people/{person}/role": {"role": "auditor"},
    "services/{service}/revoke": {"reason": "left"},
    "nodes/{name}/certificate": {"public_key": KEY},
    "nodes/{name}/forensic": {"public_key": KEY, "reason": "look"},
    "nodes/{name}/quarantine": {"reason": "look"},
    "findings/{reference}/settle": {"reason": "look"},
    "intakes/{intake}/draft": {"decision": "refuse", "reason": "look"},
    "api-keys/{key}/block": {"reason": "look"},
    "retention/holds/{hold}/release": {"because": "look"},
    "/sign/{act}/ask": {"passkey": NOBODYS["passkeys"]},
    "/sign/{act}": {
        "id": "Y3JlZA",
        "response": {"authenticatorData": "AAAA", "clientDataJSON": "e30", "signature": "AAAA"},
    },
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("matrix") / "home", clock)
    with staged.staged(home, clock) as stage:
        yield stage


@pytest.fixture(scope="module")
def theirs(stage):
    return everything(stage)


@pytest.fixture(scope="module")
def strangers(stage):
    return second(stage.services, stage.home)


@pytest.fixture(scope="module")
def app(stage):
    return create_app(stage.services)


@pytest.fixture(scope="module")
def closed(app):
    """Every route that asks who is there."""
    return [route for route in routes_of(app) if route.path not in OPEN]


def kind(route):
    """The word that stands before the id in an address."""
    words = route.path.split("/")
    return next(before for before, word in pairwise(words) if word.startswith("{"))


def filled(route, ids):
    return route.filled({name: ids[kind(route)] for name in route.parameters})


def permitted(people, role, action):
    return shipped().allows(people.actor(role), action)


def test_every_route_asks_for_an_action_that_the_policies_know(closed, strangers):
    assert [f"{route} asks for nothing" for route in closed if not route.action] == []
    assert [
        f"{route} asks for {route.action}, which no policy speaks of"
        for route in closed
        if not any(permitted(strangers, role, route.action) for role in Role)
    ] == []
    assert len(closed) > 100


def test_every_id_in_an_address_is_of_a_kind_that_is_tried(closed, theirs):
    kinds = {kind(route) for route in closed if route.parameters}
    assert [
        f"nothing of the kind {each} is made by ringfence.testing.everything" for each in kinds - theirs.keys() - NO_IDS
    ] == []
    several = [route for route in closed if len(route.parameters) > 1 and kind(route) not in NO_IDS]
    assert [f"{route} has several ids; teach the matrix" for route in several] == []


@pytest.mark.parametrize("role", Role)
def test_what_a_role_may_ask_in_its_own_tenant_is_what_the_policies_say(role, stage, app, closed, strangers):
    wrong = []
    with strangers.http(stage.services, role, app=app) as http:
        for route in closed:
            if route.path in STREAMS or (str(route) in SLOW and role is not Role.OWNER):
                continue
            answer = http.request(route.method, filled(route, NOBODYS), json={"of no": "such form"})
            may = permitted(strangers, role, route.action)
            refused = answer.status_code == 403 and "does not permit" in answer.text
            if may == refused or answer.status_code in {401, 500}:
                wrong.append(f"{route} answers {answer.status_code} to {role}: {answer.text[:120]}")
    assert wrong == []


def test_nobody_is_let_in_without_saying_who_they_are(stage, app, closed):
    wrong = []
    with stage.home.http(stage.services, role=None, app=app) as http:
        for route in closed:
            path = filled(route, NOBODYS)
            codes = [http.request(route.method, path).status_code]
            if route.method == "GET":
                page = http.get(path, headers={"accept": "text/html"})
                codes.append(401 if page.headers.get("location") == "/login" else page.status_code)
            if set(codes) != {401}:
                wrong.append(f"{route} answers {codes} to nobody")
    assert wrong == []


@pytest.fixture(scope="module")
def bodies(stage, strangers):
    """What a stranger sends along, well formed and signed by the stranger, where an id is not enough."""
    services, now = stage.services, stage.clock.now()
    row = services.cutoff.compute.node(TENANT, "gateway")
    dataset, outside = services.artifacts.all(TENANT)[0], services.gates.intakes.all(TENANT)[0]
    checks = {
        "dataset": dataset.dataset, "epoch": 1, "result": "pass", "tool": "ringfence", "toolVersion": "1",
        "policy": str(Digest.of(b"x")), "rows": 1, "files": 1, "findings": 0, "report": str(Digest.of(b"x")),
        "counts": dict.fromkeys(Check, 0), "passed": sorted(Check), "failed": [], "notRun": [], "off": [],
    }  # fmt: skip
    filed = {"reference": "x", "salt": "00" * 32, "to": "CSIRT"}
    decision = acts.Decision(
        significant=False, criteria=(), reason="guesses", detected_at=now, triaged_at=now, malicious=Answer.YES
    )

    def drafts(ids):
        seen = replace(stage.seen(stage.incidents["late"]), incident=ids["incidents"])
        return {
            "datasets/{dataset}/opened": datasets.opened(dataset, "training"),
            "datasets/{dataset}/verified": draft("dataset.verified"),
            "datasets/{dataset}/checked": replace(
                draft("dataset.checked", checks, details={"salt": "00" * 32}), strength=Strength.OBSERVED
            ),
            "datasets/{dataset}/screened": draft("dataset.poison_screen"),
            "datasets/{dataset}/erasures": datasets.erasure_requested(dataset, "look"),
            "datasets/{dataset}/erased": datasets.erased(dataset, Digest.of(b"x"), bytes(32), []),
            "datasets/{dataset}/provenance": draft("dataset.provenance"),
            "passkeys/{passkey}/enrolment": draft("passkey.signs"),
            "nodes/{name}/release": nodes.release_request(row.id, row.subject, 1, "running", "looked at it"),
            "incidents/{incident}/triage": acts.triage(seen, decision),
            "incidents/{incident}/corrections": acts.corrected(seen, "contact", reason="typed wrongly", value="x"),
            "incidents/{incident}/notices": acts.noticed(seen, "hospital", now, Digest.of(b"mail"), filed),
            "incidents/{incident}/breach-notices": acts.noticed(
                seen, "hospital", now, Digest.of(b"mail"), filed, about=acts.BREACH_NOTICE
            ),
            "incidents/{incident}/reports": acts.reported(
                seen, "nis2.early_warning", now, "csirt", Digest.of(b"r"), filed
            ),
            "incidents/{incident}/closing": acts.closed(seen, now, "nothing was read"),
            "customers/{customer}/pack": draft("report.exported"),
            "risks/{risk}/treatments": risks.treated(ids["risks"], judging.PLAN),
            "risks/{risk}/reviews": risks.reviewed(
                Review(ids["risks"], judging.ROW.rating, None, False, judging.in_days(300), False, "x")
            ),
            "risks/{risk}/acceptances": risks.accepted(
                Accepting(ids["risks"], Digest.of(b"x"), judging.PLAN.residual, judging.in_days(300), "x")
            ),
            "exceptions/{exception}/approvals": exceptions.approved(ids["exceptions"], Digest.of(b"x")),
            "exceptions/{exception}/ends": exceptions.ended(ids["exceptions"], "x"),
            "opinions/{opinion}/withdrawals": opinions.withdrawn(ids["opinions"], "x"),
            "intakes/{intake}/decision": intake.decided(
                replace(outside, id=ids["intakes"]), "refuse", "x", Digest.of(b"x")
            ),
            "reviews/{review}/decisions": decided(ids["reviews"], ids["people"], Decision.REMOVED),
        }

    def body(route, role, ids):
        ending = route.path.removeprefix("/api/v1/")
        if route.path in FORMS:
            return {"data": FORMS[route.path]}
        if ending in PLAIN or not route.has_body:
            return {"json": PLAIN.get(ending)}
        envelope, opening = signed(services, strangers.people[role], drafts(ids)[ending], tenant=OTHER)
        text = base64.b64encode(envelope.data).decode()
        return {"json": {"envelope": text, "opening": opening.to_text() if opening else None}}

    return body


def without(name, answer):
    return re.sub(rf"\b{re.escape(name)}\b", "ID", answer.text)


@pytest.mark.parametrize("role", Role)
def test_ids_of_another_tenant_are_not_found(role, stage, app, closed, strangers, theirs, bodies):
    """Not 403, which would say that there is such a thing; and the same words as for an id that nobody has."""
    wrong = []
    with strangers.http(stage.services, role, app=app) as http:
        for route in closed:
            if not route.parameters or kind(route) in NO_IDS or not permitted(strangers, role, route.action):
                continue
            real, none = filled(route, theirs), filled(route, NOBODYS)
            answer = http.request(route.method, real, **bodies(route, role, theirs))
            if answer.status_code != 404:
                wrong.append(f"{route} answers {answer.status_code} to a stranger: {answer.text[:160]}")
            other = http.request(route.method, none, **bodies(route, role, NOBODYS))
            if without(theirs[kind(route)], answer) != without(NOBODYS[kind(route)], other):
                wrong.append(
                    f"{route} tells a stranger's guess from nobody's: {answer.text[:160]} | {other.text[:160]}"
                )
    assert wrong == []


def test_whose_place_is_next_is_told_alike_for_every_key(stage, app, strangers, theirs):
    with strangers.http(stage.services, Role.AUDITOR, app=app) as http:
        told = {http.get(f"/api/v1/sources/{key}").json()["next"] for key in (theirs["sources"][::-1], "f" * 64)}
    assert told == {1}


@pytest.fixture(scope="module")
def secrets_of_main(stage, theirs):
    """What stands in no answer to a stranger: names, ids, addresses and digests of `main`."""
    services = stage.services
    people = [value for person in services.identity.register(TENANT) for value in (person.id, person.name)]
    logged = services.ledger.statements(TENANT)
    digests = [one.envelope.digest.hex for one in logged]
    ours = {"proofs", "statements", "evidence", "nodes", "sources", "packs"}
    ids = [value for word, value in theirs.items() if word not in ours]
    return [MARK, "honeypot", "trainer-with-a-long-name-1", "203.0.113.99", "A" * 300, *people, *digests, *ids]


@pytest.mark.parametrize("role", Role)
def test_no_list_page_search_or_export_shows_anything_of_another_tenant(
    role, stage, app, closed, strangers, secrets_of_main
):
    wrong = []
    with strangers.http(stage.services, role, app=app) as http:
        for route in closed:
            if route.method != "GET" or route.parameters or route.path in STREAMS:
                continue
            for query in QUERIES if role is Role.OWNER else QUERIES[:1]:
                text = http.get(route.path, params=query).text
                wrong += [f"{route} shows {secret[:40]} to {role}" for secret in secrets_of_main if secret in text]
    assert wrong == []


def test_a_live_stream_carries_the_own_tenants_statements_only(stage, app, strangers):
    services = stage.services
    size = services.ledger.head().checkpoint.size
    for tenant in (TENANT, OTHER):
        services.collectors["log.heartbeat"](tenant)
    stated = {tenant: services.ledger.statements(tenant)[-1].envelope.digest.hex for tenant in (TENANT, OTHER)}
    headers = {"authorization": f"Bearer {strangers.people[Role.AUDITOR].token}"}
    with served(app) as address:
        text = _streamed(f"{address}/console/stream", {"after": size - 1}, headers, until=str(size + 1))
    assert f"/evidence/{size + 1}" in text, text[:500]
    assert f'/evidence/{size}"' not in text
    assert stated[TENANT] not in text


def _streamed(address, query, headers, *, until):
    import httpx

    found = ""
    with httpx.stream("GET", address, params=query, headers=headers, timeout=10) as answer:
        for line in answer.iter_lines():
            found += line + "\n"
            if until in found and not line:
                return found
    return found
