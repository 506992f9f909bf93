import base64
from dataclasses import replace

import pytest

from ringfence.kernel.actor import Role
from ringfence.ledger import proof, tree
from ringfence.obligations.scope.rules import sample
from ringfence.testing.home import TENANT, draft, signed


@pytest.fixture
def ask(services, home):
    with home.http(services) as http:
        yield http.request


def body(envelope, opening=None):
    return {
        "envelope": base64.b64encode(envelope.data).decode(),
        "opening": opening.to_text() if opening else None,
    }


def classification(services):
    """Return what somebody signs who agrees to a scope."""
    return services.scopes.drafted(TENANT, sample())[1][0]


def test_the_head_is_what_an_outsider_needs(ask, services):
    found = ask("GET", "/api/v1/ledger/head").json()
    signed_head = services.ledger.head()
    assert found["size"] == signed_head.checkpoint.size
    assert found["note"] == signed_head.note
    assert base64.b64decode(found["root_key"]) == services.home.root_public


def test_an_earlier_head_is_returned_by_its_size(ask, services, home):
    """So that what is shown beside cosignatures is the head that was cosigned, whatever the log took in meanwhile."""
    first = services.ledger.head()
    envelope, opening = signed(services, home.people[Role.OWNER], classification(services))
    ask("POST", "/api/v1/statements", json=body(envelope, opening))
    size = first.checkpoint.size
    assert ask("GET", "/api/v1/ledger/head").json()["size"] > size
    assert ask("GET", "/api/v1/ledger/head", params={"size": size}).json()["note"] == first.note
    assert ask("GET", "/api/v1/ledger/head", params={"size": 10**6}).status_code == 404


def test_a_posted_statement_is_published_and_listed(ask, services, home):
    envelope, opening = signed(services, home.people[Role.OWNER], classification(services))
    answer = ask("POST", "/api/v1/statements", json=body(envelope, opening))
    assert answer.status_code == 201
    done = answer.json()["statement"]
    assert (done["stage"], done["envelope"]) == ("published", str(envelope.digest))
    listed = ask("GET", "/api/v1/ledger/statements", params={"limit": 1}).json()["statements"][0]
    assert (listed["envelope"], listed["standing"], listed["role"]) == (done["envelope"], "trusted", "operator")
    text = ask("GET", f"/api/v1/ledger/proofs/{done['entry']}").text
    read = proof.parse(text.encode())
    head = services.ledger.head().checkpoint
    tree.verify_inclusion(read.index, head.size, tree.leaf_hash(read.extra), read.hashes, head.root)


@pytest.mark.parametrize(("claim", "value"), [("category", "out_of_scope"), ("sizeClass", "small")])
def test_a_classification_that_the_rules_do_not_make_of_its_profile_is_refused(ask, services, home, claim, value):
    made = classification(services)
    lesser = replace(made, claims={**made.claims, claim: value})
    size = services.ledger.head().checkpoint.size
    answer = ask("POST", "/api/v1/statements", json=body(*signed(services, home.people[Role.OWNER], lesser)))
    assert answer.status_code == 403
    assert f"not what the rules make of the profile: {claim}" in answer.json()["detail"]
    assert services.ledger.head().checkpoint.size == size
    bare = replace(made, details={})
    assert (
        ask("POST", "/api/v1/statements", json=body(*signed(services, home.people[Role.OWNER], bare))).status_code
        == 403
    )


def test_what_has_an_act_of_its_own_is_not_posted_by_hand(ask, services, home):
    envelope, _ = signed(services, home.people[Role.OWNER], draft("dataset.sealed"))
    answer = ask("POST", "/api/v1/statements", json=body(envelope))
    assert answer.status_code == 403
    assert "not posted by hand" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/ledger/proofs/-1",
        "/api/v1/ledger/proofs/99999999999999999999999",
        "/api/v1/ledger/proofs/9223372036854775808",
        "/api/v1/ledger/proofs/9007199254740991",
        "/api/v1/ledger/proofs/10000",
        "/api/v1/ledger/proofs/x",
        "/api/v1/ledger/statements?before=99999999999999999999999",
        "/api/v1/ledger/statements?before=-1",
        "/api/v1/ledger/statements?limit=0",
        "/api/v1/ledger/statements?limit=501",
        "/api/v1/ledger/statements?as_of=yesterday",
        "/api/v1/ledger/statements?predicate=../x",
        "/api/v1/sources/abc",
    ],
)
def test_bad_input_is_a_problem_and_never_an_error_of_ours(ask, path):
    answer = ask("GET", path)
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] in {"urn:ringfence:problem:not-found", "urn:ringfence:problem:malformed-input"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"envelope": 1}',
        b'{"envelope": "%%%"}',
        b'{"envelope": "", "opening": null}',
        b'{"envelope": "e30=", "extra": 1}',
        b'{"envelope": "e30=", "opening": "!"}',
        b'{"envelope": "' + base64.b64encode(b"[" * 10**5) + b'"}',
        b"[" * 10**5,
        b"\xff",
    ],
    ids=range(12),
)
def test_a_bad_body_is_a_problem_and_never_an_error_of_ours(ask, content):
    answer = ask("POST", "/api/v1/statements", content=content)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_page_goes_on_below_the_last_entry(ask):
    first = ask("GET", "/api/v1/ledger/statements", params={"limit": 3}).json()["statements"]
    rest = ask("GET", "/api/v1/ledger/statements", params={"before": first[-1]["entry"]}).json()["statements"]
    assert rest[0]["entry"] == first[-1]["entry"] - 1


def test_the_next_place_of_a_key_is_told(ask, home):
    key = home.people[Role.OWNER].signer.key
    assert ask("GET", f"/api/v1/sources/{key}").json() == {"key": key, "next": 1}
