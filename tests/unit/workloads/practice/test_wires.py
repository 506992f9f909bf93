import pytest

from ringfence.kernel.actor import Role
from ringfence.server import create_app
from ringfence.testing.clock import FakeClock
from ringfence.testing.home import make
from ringfence.testing.routes import routes_of
from ringfence.testing.staged import empty
from ringfence.workloads.practice import ground, wires

ATTACKS = ("/practise", "/practise/guesses", "/practise/leaked", f"/practise/passkeys/{'f' * 64}/sign")


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """An own installation, and one app over it: each takes most of a second to build."""
    home = make(tmp_path_factory.mktemp("own") / "home", FakeClock())
    with home.services(FakeClock()) as services:
        yield home, services, create_app(services)


@pytest.fixture
def asking(own):
    """Ask as a role, or as nobody."""
    home, services, app = own
    return lambda role=Role.OWNER: home.http(services, role=role, app=app)


def paths(app):
    return {(str(route), route.action) for route in routes_of(app) if "/practi" in route.path}


def test_an_own_installation_has_the_way_in_and_no_attack(own):
    assert paths(own[2]) == {
        ("GET /practice", "status.read"),
        ("POST /practice/enter", "practice.run"),
        ("POST /practice/stop", "practice.run"),
        ("POST /practice/remove", "practice.run"),
        ("GET /api/v1/practice", "status.read"),
        ("POST /api/v1/practice", "practice.run"),
        ("POST /api/v1/practice/stop", "practice.run"),
        ("POST /api/v1/practice/remove", "practice.run"),
    }


def test_no_attack_answers_in_an_own_installation(asking):
    with asking() as http:
        answers = [http.request(method, path).status_code for method in ("GET", "POST") for path in ATTACKS]
    assert answers == [404] * 8


def test_a_log_that_is_named_like_a_practice_does_not_make_a_tenant_one(tmp_path, clock):
    home = make(tmp_path / "home", clock, log=ground.origin())
    with home.services(clock) as services:
        assert not wires.is_ground(services)
        assert [route.path for made in wires.routes(services) for route in made.routes]


@pytest.mark.parametrize("role", Role)
def test_an_owner_or_an_engineer_starts_it_and_nobody_else(asking, role):
    with asking(role) as http:
        answers = [http.post(f"/api/v1/practice{act}").status_code for act in ("", "/stop", "/remove")]
    may = role in {Role.OWNER, Role.ENGINEER}
    assert answers == ([503, 200, 200] if may else [403, 403, 403])


def test_nobody_gets_a_link_without_a_session(asking):
    with asking(None) as http:
        for path in ("/practice/enter", "/api/v1/practice"):
            answer = http.post(path)
            assert (answer.status_code, "token=" in answer.text) == (401, False)


def test_the_own_organisation_and_the_practice_stand_side_by_side(asking):
    with asking() as http:
        for path in ("/", "/incidents", "/practice"):
            text = http.get(path).text
            assert "Your organisation" in text, path
            assert "demo</span>" in text, path
        standing = http.get("/api/v1/practice").json()
    assert (standing["made"], standing["runs"]) == (False, False)


def test_who_may_not_start_it_sees_no_button(own, asking):
    with own[1].practice.serving(), asking(Role.AUDITOR) as http:
        text = http.get("/practice").text
    assert "Start the practice" not in text
    assert "an engineer or an owner" in text


def test_a_practice_has_its_attacks_and_no_practice_of_its_own(practice, clock):
    with empty(practice, clock) as stage:
        app = create_app(stage.services)
        assert paths(app) == {
            ("GET /practise", "status.read"),
            ("POST /practise/passkeys/{passkey}/sign", "passkey.sign"),
            ("POST /practise/{attack}", "practice.run"),
        }
        with practice.http(stage.services, app=app) as http:
            shown = http.get("/practise").text
            assert http.post("/practise/other").status_code == 404
        with practice.http(stage.services, role=Role.AUDITOR, app=app) as http:
            assert "Play attack" not in http.get("/practise").text
            assert http.post("/practise/leaked").status_code == 403
        with practice.http(stage.services, role=None, app=app) as http:
            assert {http.get("/practise").status_code, http.post("/practise/leaked").status_code} == {401}
    assert shown.count("Play attack") == 2
    assert "First: a passkey" in shown
