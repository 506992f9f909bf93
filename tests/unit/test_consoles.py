"""Every place that the frame of the console names is there."""

import pytest

from ringfence.frontends.page import PLACES
from ringfence.kernel.actor import Role
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.staged import empty

PATHS = sorted({tab.path for place in PLACES for tab in place.tabs} | {place.path for place in PLACES})


@pytest.fixture(scope="module")
def stage(made_home, tmp_path_factory):
    home = made_home.copy(tmp_path_factory.mktemp("consoles") / "home")
    with empty(home, FakeClock()) as opened:
        yield opened


@pytest.fixture(scope="module")
def app(stage):
    return create_app(stage.services)  # with the real door


def test_every_place_and_tab_leads_to_a_page_that_marks_it(stage, app):
    with stage.home.http(stage.services, app=app) as http:
        answers = {path: http.get(path) for path in PATHS}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(PATHS, 200)
    marks = {path: answer.text.count(' aria-current="page"') for path, answer in answers.items()}
    assert {path: mark for path, mark in marks.items() if mark not in {1, 2}} == {}  # of the rail, and of the tabs


def test_who_has_no_session_sees_none_of_them(stage, app):
    with stage.home.http(stage.services, role=None, app=app) as stranger:
        answers = [stranger.get(path, headers={"accept": "text/html"}) for path in PATHS]
    assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {(303, "/login")}


def test_a_customers_account_sees_nothing_of_what_concerns_the_whole_tenant(stage, app):
    with stage.home.http(stage.services, Role.CUSTOMER, app=app) as outsider:
        assert {outsider.get(path).status_code for path in PATHS} == {403}
