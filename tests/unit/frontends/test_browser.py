import pytest

from ringfence.frontends import browser
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, Unavailable
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.settings import Settings

DRAFT = Draft(PredicateName("incident.triage"), (Subject("a", Digest.of(b"a")),), {}, Strength.DOCUMENTED)


class FakeServer:
    """Answers `signed` after so many looks; then, or for ever, forgets the act."""

    def __init__(self, looks):
        self.looks, self.posted = looks, []

    def post(self, path, body=None):
        self.posted.append((path, body))
        return {"act": "act-1", "page": "/sign/act-1", "until": "soon", "state": "waiting", "answer": None}

    def get(self, path, **_parameters):
        assert path == "/api/v1/acts/act-1"
        self.looks -= 1
        if self.looks < 0:
            raise NotFound("ended")
        state = "waiting" if self.looks else "signed"
        return {"act": "act-1", "state": state, "answer": {"done": True} if state == "signed" else None}


def sign(server, path="/api/v1/incidents/i-1/triage", **settings):
    waited = []
    answer = browser.sign(server, Settings(home=None, **settings), DRAFT, path, waited.append)
    return answer, waited


def test_it_says_where_and_returns_what_came_of_it(capsys):
    server = FakeServer(3)
    answer, waited = sign(server)
    assert answer == {"done": True}
    assert waited == [browser.POLL_SECONDS] * 3
    assert "http://localhost:8400/sign/act-1" in capsys.readouterr().err
    ((path, body),) = server.posted
    assert (path, body["place"], body["draft"]["predicate"]) == ("/api/v1/acts", "i-1", "incident.triage")


@pytest.mark.parametrize(
    ("settings", "address"),
    [({"console": "https://c.example"}, "https://c.example/"), ({"url": "https://u.example"}, "https://u.example/")],
)
def test_it_names_the_console_that_is_meant(capsys, settings, address):
    sign(FakeServer(1), **settings)
    assert address in capsys.readouterr().err


def test_nobody_signed_in_time():
    server = FakeServer(2)
    server.looks = 0
    with pytest.raises(Unavailable, match="nobody signed"):
        sign(server)


def test_a_declared_incident_has_no_place_yet():
    server = FakeServer(1)
    sign(server, "/api/v1/incidents")
    assert server.posted[0][1]["place"] == ""


def test_a_form_is_kept_under_its_evidence_type():
    server = FakeServer(1)
    sign(server, "/api/v1/forms/training.record")
    assert server.posted[0][1]["place"] == "training.record"


@pytest.mark.parametrize("path", ["/api/v1/statements", "/api/v1/datasets", "/api/v1/passkeys/a/enrolment"])
def test_what_is_no_act_is_signed_here(path):
    assert not browser.is_act(path)
