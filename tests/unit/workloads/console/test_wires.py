import pytest

from ringfence.kernel.actor import Role
from ringfence.testing.home import TENANT
from ringfence.testing.staged import empty


@pytest.fixture
def in_memory(home, clock):
    """Services over nodes in memory: a real provider would start the network helper, which outlives the test."""
    with empty(home, clock) as stage:
        yield stage.services


def test_a_young_tenant_sees_its_first_steps_on_today(services, home):
    with home.http(services, role=Role.ENGINEER) as client:
        first = client.get("/").text
        assert "Next step: Let your passkey sign" in first
        services.collectors["log.heartbeat"](TENANT)
        assert "First steps" not in client.get("/", params={"as_of": "2026-11-22T00:00"}).text


def test_what_can_run_is_offered_and_what_cannot_says_why(in_memory, home):
    with home.http(in_memory, role=Role.ENGINEER) as client:
        text = client.get("/nodes/offers").text
        offers = client.get("/api/v1/offers").json()["offers"]
        assert client.post("/nodes", data={"class": "own", "name": "x"}).status_code == 422
        assert client.post("/nodes", data={"name": "x"}).status_code == 422
    for offer in offers:
        assert offer["class"] in text
        assert offer["available"] or offer["because"][:20] in text
    assert in_memory.cutoff.compute.all(TENANT) == []


def test_a_reader_starts_nothing(in_memory, home):
    with home.http(in_memory, role=Role.AUDITOR) as client:
        assert "Start node" not in client.get("/nodes/offers").text
        assert client.post("/nodes", data={"class": "namespace", "name": "x"}).status_code == 403
