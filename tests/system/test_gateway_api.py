"""Keys and deployments over HTTP: who may what, what is refused, and that no secret comes back a second time."""

import pytest

from ringfence.kernel.actor import Role
from ringfence.server import create_app
from ringfence.testing.home import TENANT

URL = "http://127.0.0.1:9/v1"  # nobody listens at the discard port


@pytest.fixture
def key(services, home):
    with home.http(services, Role.ENGINEER) as client:
        return client.post("/api/v1/api-keys", json={"name": "anna"}).json()


def test_a_keys_text_is_in_one_answer_and_in_no_other(services, home, key):
    secret = key["secret"]
    with home.http(services, Role.OWNER) as client:
        client.post(f"/api/v1/api-keys/{key['key']['key']}/block", json={"reason": "tried"})
        answers = [client.get(path).text for path in ("/api/v1/api-keys", "/api/v1/deployments", "/deployments")]
    services.ledger.integrate()
    stated = [str(logged.envelope.payload) for logged in services.ledger.statements(TENANT)]
    for text in (*answers, *stated):
        assert secret not in text
    hidden = secret.rpartition("-")[2]
    for path in home.path.rglob("*"):
        assert not path.is_file() or hidden.encode() not in path.read_bytes(), path


MAY = {
    Role.OWNER: {"issue", "block", "unblock", "revoke", "attach"},
    Role.ENGINEER: {"issue", "revoke", "attach"},
    Role.SECURITY: {"block", "unblock", "revoke"},
    Role.MANAGEMENT: set(),
    Role.AUDITOR: set(),
}


def test_who_may_what(services, home, key):
    app, one = create_app(services), f"/api/v1/api-keys/{key['key']['key']}"
    asked = {
        "issue": ("/api/v1/api-keys", {"name": "bert"}),
        "block": (f"{one}/block", {"reason": "tried"}),
        "unblock": (f"{one}/unblock", {}),
        "revoke": (f"{one}/revoke", {}),
        "attach": ("/api/v1/deployments", {"name": "small", "url": URL}),
    }
    for role, may in MAY.items():
        with home.http(services, role, app=app) as client:
            found = {name for name, (path, body) in asked.items() if client.post(path, json=body).status_code != 403}
            assert client.get("/api/v1/api-keys").status_code == client.get("/api/v1/deployments").status_code == 200
        assert found == may, role


REFUSED = [
    ("api-keys", {}, 422),
    ("api-keys", {"name": "a", "more": 1}, 422),
    ("api-keys", {"name": "a\u001b[2J"}, 422),
    ("api-keys", {"name": "a", "deployments": ["A B"]}, 422),
    ("api-keys", {"name": "a", "days": 10**9}, 422),
    ("api-keys", {"name": "a", "concurrent": -1}, 422),
    ("api-keys/k-0123456789ab/revoke", {}, 404),
    ("api-keys/..%2F..%2Fetc/revoke", {}, 404),
    ("api-keys/nonsense/unblock", {}, 422),
    ("deployments", {"name": "Small", "url": URL}, 422),
    ("deployments", {"name": "small", "url": "ftp://a"}, 422),
    ("deployments", {"name": "small", "url": "http://engine.example/v1"}, 403),
    ("deployments", {"name": "small", "url": URL, "digest": "sha256:00"}, 422),
    ("deployments", {"name": "small", "url": URL, "protocol": "grpc"}, 422),
    ("deployments", {"name": "small", "url": URL}, 503),
    ("deployments/none/stop", {}, 404),
]


def test_what_cannot_be_is_refused_with_a_sentence(services, home):
    with home.http(services, Role.OWNER) as client:
        for path, body, status in REFUSED:
            answer = client.post(f"/api/v1/{path}", json=body)
            assert (answer.status_code, len(answer.json()["detail"]) > 10) == (status, True), answer.text
