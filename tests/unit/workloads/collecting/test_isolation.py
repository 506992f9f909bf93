from contextlib import contextmanager, nullcontext
from functools import partial

import pytest

from ringfence.server import create_app
from ringfence.testing.everything import everything
from ringfence.testing.home import TENANT
from ringfence.testing.staged import staged
from ringfence.workloads.collecting.isolation import Answer, Isolation, Question, draft, in_process, isolating
from ringfence.workloads.collecting.treasures import treasures

LIST, ONE = Question("search", "/list", "secret"), Question("api", "/one")


def asked(question, mine, theirs):
    """Return the claims after one question, with what the tenant itself is told and what the outsider is."""

    def ask(tenant, path):
        assert path == question.path
        return mine if tenant == TENANT else theirs

    return dict(Isolation(lambda: nullcontext(ask), lambda _: [question], lambda: "outsider")(TENANT).claims)


@pytest.mark.parametrize(
    ("question", "theirs"),
    [(LIST, Answer(200, "nothing")), (LIST, Answer(404, "there is no secret")), (ONE, Answer(404, "not found"))],
)
def test_an_outsider_with_empty_hands(question, theirs):
    found = asked(question, Answer(200, "a secret"), theirs)
    assert found == {"probes": 1, "crossed": 0, "surfaces": [question.surface], "unprobed": 0}


@pytest.mark.parametrize(("question", "theirs"), [(LIST, Answer(200, "a secret")), (ONE, Answer(200, ""))])
def test_what_an_outsider_gets_has_crossed(question, theirs):
    assert asked(question, Answer(200, "a secret"), theirs)["crossed"] == 1


def test_a_leak_counts_though_the_tenant_itself_is_told_nothing():
    assert asked(LIST, Answer(500, ""), Answer(200, "a secret"))["crossed"] == 1


@pytest.mark.parametrize("mine", [Answer(200, "nothing"), Answer(503, "secret")])
def test_where_the_tenant_itself_finds_nothing_nothing_was_probed(mine):
    assert asked(LIST, mine, Answer(404, "")) == {"probes": 0, "crossed": 0, "surfaces": [], "unprobed": 1}


def test_where_it_crossed_stands_in_the_erasable_part():
    assert draft(TENANT, []).details == {}


@pytest.fixture
def stage(home, clock):
    with staged(home, clock) as opened:
        everything(opened)
        yield opened


def test_of_an_installation_with_one_of_everything_nothing_crosses(stage):
    [collector] = isolating(stage.services, partial(create_app, stage.services)).values()
    claims = collector.collect.look(TENANT).claims
    wanted = len(list(treasures(stage.services, TENANT)))
    assert (claims["probes"], claims["unprobed"], claims["crossed"]) == (wanted, 0, 0)
    assert claims["surfaces"] == ["api", "events", "export", "ledger", "search"]
    assert wanted > 12


@contextmanager
def forgetful(build):
    """The whole application as it is, but it answers everybody as if the tenant itself asked."""
    with in_process(build) as ask:
        yield lambda _tenant, path: ask(TENANT, path)


def test_an_application_that_forgets_whose_it_is_is_found_out_and_nobody_else_comes_in(stage):
    app = create_app(stage.services)
    look = Isolation(
        partial(forgetful, partial(create_app, stage.services)),
        partial(treasures, stage.services),
        lambda: "outsider",
    )
    claims = look(TENANT).claims
    assert claims["crossed"] == claims["probes"] > 12
    with stage.home.http(stage.services, role=None, app=app) as http:
        assert http.get("/api/v1/nodes").status_code == 401  # the door of the test is that of its own application


def test_it_is_run_like_every_other_collector(home, services):
    with home.http(services) as http:
        answer = http.post("/api/v1/records/tenant.isolation_test")
        assert (answer.status_code, answer.json()["statement"]["stage"]) == (201, "published")
        unknown = http.post("/api/v1/records/tenant.isolation")
    assert unknown.status_code == 404
    assert "tenant.isolation_test" in unknown.text
