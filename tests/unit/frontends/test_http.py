import json

import pytest

from ringfence.frontends.http import MAX_BODY, posted_bytes, problem
from ringfence.kernel import errors
from ringfence.kernel.errors import MalformedInput, RingfenceError, by_slug

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RingfenceError)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not RingfenceError])
def test_an_error_becomes_problem_details_and_an_error_again(kind):
    document = problem(kind("what to do"), instance="/x")
    assert document["status"] == kind.http_status
    assert document["detail"] == "what to do"
    assert document["instance"] == "/x"
    assert by_slug(document["type"].rpartition(":")[2]) is kind


def test_malformed_input_names_its_place():
    document = problem(MalformedInput("bad", source="f", line=2, column=3))
    assert (document["source"], document["line"], document["column"]) == ("f", 2, 3)


@pytest.mark.parametrize("text", ["%", "YQ", "ä", "YQ==\n"])
def test_posted_bytes_are_strict_base64(text):
    with pytest.raises(MalformedInput, match="envelope"):
        posted_bytes(text, "envelope")


@pytest.fixture
def http(services, home):
    with home.http(services) as opened:
        yield opened


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/api/v1/me", 400)])
def test_addresses_that_are_none_are_problems(http, method, path, status):
    answer = http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.mark.parametrize("query", ["asof=2026-11-22T00:00:00Z", "as_of=2026-11-22T00:00:00Z&x=1", "limit=1"])
def test_the_api_answers_nothing_beside_what_was_asked(http, query):
    answer = http.get(f"/api/v1/status?{query}")
    assert answer.status_code == 400
    assert "as_of" in answer.json()["detail"]


def test_a_parameter_that_the_route_knows_is_no_mistake(http):
    assert http.get("/api/v1/status?as_of=2026-11-22T00:00:00Z").status_code == 200


def test_who_may_not_ask_learns_no_parameter(services, home):
    with home.http(services, role=None) as stranger:
        assert stranger.get("/api/v1/status?asof=now").status_code == 401


def test_a_body_beyond_the_limit_is_refused(http):
    body = json.dumps({"envelope": "A" * MAX_BODY})
    assert http.post("/api/v1/statements", content=body).status_code in {400, 413, 422}


def test_a_browser_without_a_session_is_led_to_the_entrance(services, home):
    with home.http(services, role=None) as stranger:
        answer = stranger.get("/", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_an_unknown_error_tells_nothing_of_itself(services, home):
    from ringfence.server import create_app

    app = create_app(services)

    @app.get("/broken")
    def broken():
        raise KeyError("a secret")

    with home.http(services, app=app) as opened:
        answer = opened.get("/broken")
    assert answer.status_code == 500
    assert "a secret" not in answer.text
    assert answer.json()["type"] == "urn:ringfence:problem:internal"
