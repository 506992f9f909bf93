import pytest

from ringfence.kernel.actor import Role
from ringfence.testing import everything
from ringfence.testing.home import TENANT
from ringfence.testing.receipts import request as asked

REQUEST = asked(1)


class Lab:
    def __init__(self, services, clock, home=None):
        self.services, self.clock, self.home = services, clock, home


@pytest.fixture
def http(services, home):
    with home.http(services, role=Role.ENGINEER) as client:
        yield client


@pytest.fixture
def deployed(services, clock, home):
    return everything._deployment(Lab(services, clock, home))


@pytest.fixture
def answered(services, clock):
    everything._receipt(Lab(services, clock))


def test_a_deployment_says_whose_word_its_digest_is(http, deployed):
    text = http.get(f"/deployments/{deployed}").text
    assert "nobody said" in text
    assert "It does not show that they computed an answer" in text
    assert f'action="/deployments/{deployed}/ask"' in text


def test_a_prompt_without_a_gateway_leaves_no_key(http, services, deployed):
    answer = http.post(f"/deployments/{deployed}/ask", data={"prompt": "x"})
    assert (answer.status_code, "does not run" in answer.text) == (503, True)
    assert services.serving.gateway.keys(TENANT) == []


def test_a_reader_is_shown_no_prompt(services, home, deployed):
    with home.http(services, role=Role.AUDITOR) as client:
        assert "/ask" not in client.get(f"/deployments/{deployed}").text
        assert client.post(f"/deployments/{deployed}/ask", data={"prompt": "x"}).status_code == 403
        assert client.post("/deployments/sample", data={"sample": "sample"}).status_code == 403


def test_only_the_sample_that_is_offered_is_served(http, services):
    assert http.post("/deployments/sample", data={"sample": "/etc/passwd"}).status_code == 422
    assert http.post("/deployments/sample").status_code == 422
    assert services.serving.gateway.deployments(TENANT) == []
    assert "Its one file has a digest that this release names" in http.get("/deployments/sample").text


@pytest.mark.usefixtures("answered")
def test_a_receipt_shows_weights_node_and_what_it_does_not_prove(http):
    text = http.get(f"/receipts/{REQUEST}").text
    assert "checked by this server" in text
    assert "What this does not prove" in text
    assert "that these weights computed the answer" in text
    assert "data-proof=" in text


def test_a_receipt_that_is_not_there_is_not_found_unless_it_was_just_asked_for(http):
    nobodys = "req-" + "f" * 32
    assert http.get(f"/receipts/{nobodys}").status_code == 404
    soon = http.get(f"/receipts/{nobodys}", params={"soon": "1"})
    assert (soon.status_code, "some seconds" in soon.text) == (200, True)
    assert http.get("/receipts/nothing", params={"soon": "1"}).status_code == 422


@pytest.mark.usefixtures("answered")
def test_another_tenants_receipt_looks_like_nobodys(services, home):
    from ringfence.testing.tenancy import second

    strangers = second(services, home)
    with strangers.http(services, Role.OWNER) as client:
        real = client.get(f"/receipts/{REQUEST}", params={"soon": "1"})
        none = client.get(f"/receipts/req-{'f' * 32}", params={"soon": "1"})
        assert client.get(f"/receipts/{REQUEST}").status_code == 404
    assert real.text.replace(REQUEST, "ID") == none.text.replace("req-" + "f" * 32, "ID")
