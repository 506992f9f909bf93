"""The verbs, in this process: a tenant, joiners, reviews, as somebody at a terminal does them."""

import json

import pytest

from ringfence.founding import root_signer
from ringfence.identity.joining.scim import GROUP, LIST, USER
from ringfence.kernel.actor import Role
from ringfence.kernel.errors import UsageError
from ringfence.main import run
from ringfence.settings import Settings
from ringfence.testing.home import TENANT


@pytest.fixture
def terminal(home_now, monkeypatch, capsys):
    """Run verbs as somebody of the home; return the documents that they print."""

    def ask(*arguments, operator=None, code=0):
        environment = home_now.environment()
        monkeypatch.setenv("RINGFENCE_HOME", environment["RINGFENCE_HOME"])
        monkeypatch.setenv("RINGFENCE_OPERATOR", operator or environment["RINGFENCE_OPERATOR"])
        with pytest.raises(SystemExit) as ended:
            run([*arguments, "--json"])
        said = capsys.readouterr()
        assert ended.value.code == code, said.err
        return json.loads(said.out) if code == 0 else said.err

    return ask


def test_a_root_key_that_is_elsewhere_is_asked_for(tmp_path):
    with pytest.raises(UsageError, match="--root-key"):
        root_signer(Settings(home=tmp_path), tmp_path / "root.json", None)


def test_a_tenant_is_founded_and_its_owner_acts_there(terminal, home_now):
    made = terminal("tenant", "add", "beta", "--owner", "Bob")
    assert [row["tenant"] for row in terminal("tenant", "list")["tenants"]] == ["beta", TENANT]
    people = terminal("user", "list", operator=made["owner"])["people"]
    assert [person["name"] for person in people] == ["Bob"]
    before = sorted((home_now.path / "operators").iterdir())
    assert "already" in terminal("tenant", "add", "beta", code=2)
    assert "demo" in terminal("tenant", "add", "gamma", "--demo", code=3)
    assert sorted((home_now.path / "operators").iterdir()) == before  # no key file of nobody is left


def test_a_directory_is_followed_and_joiners_can_act(terminal, tmp_path):
    def user(number, **more):
        return {"schemas": [USER], "id": f"u{number}", "displayName": f"Person {number}"} | more

    group = {"schemas": [GROUP], "id": "g", "displayName": "ringfence-engineer", "members": [{"value": "u1"}]}
    file = tmp_path / "people.json"
    file.write_text(json.dumps({"schemas": [LIST], "Resources": [user(1), user(2), group]}))
    shown = terminal("user", "import", str(file))
    assert [each["name"] for each in shown["joiners"]] == ["Person 1"]
    assert len(terminal("user", "list")["people"]) == len(Role)
    joined = terminal("user", "import", str(file), "--apply", shown["proposal"])["enrolled"][0]["person"]
    assert terminal("user", "import", str(file))["joiners"] == []  # known by now
    assert terminal("user", "list", operator=joined)
    file.write_text(json.dumps({"schemas": [LIST], "Resources": [user(2)]}))
    assert "look at it again" in terminal("user", "import", str(file), "--apply", shown["proposal"], code=2)
    seen = terminal("user", "import", str(file))["proposal"]
    assert terminal("user", "import", str(file), "--apply", seen)["leavers"] == [joined]
    terminal("user", "list", operator=joined, code=3)


def test_a_review_is_led_decided_and_closed(terminal, home_now):
    review = terminal("user", "review", "start", "--days", "7")["review"]
    security, engineer = home_now.people[Role.SECURITY].id, home_now.people[Role.ENGINEER].id
    terminal("user", "review", "decide", review, engineer, "removed", operator=security)
    terminal("user", "review", "decide", review, security, "confirmed", operator=security, code=3)
    terminal("user", "list", operator=engineer, code=3)
    assert terminal("user", "review", "close", review)["statement"]["stage"] == "published"
    assert terminal("user", "review", "list")["reviews"][0]["closed_at"]


def test_services_roles_and_accounts_by_hand(terminal, home_now):
    made = terminal("service", "add", "ci", "--role", "security", "--scope", "event.ingest", "--days", "7")
    assert terminal("service", "list")["services"][0]["service"] == made["service"]
    assert terminal("service", "revoke", made["service"], "--reason", "leaked")["statement"]["stage"] == "published"
    person = home_now.people[Role.ENGINEER].id
    terminal("user", "role", person, "auditor")
    terminal("user", "role", person, "owner", code=3)
    terminal("user", "link-account", person, "directory", "u1")
    terminal("user", "unlink-account", "directory", "u1")
    terminal("user", "unlink-account", "directory", "u1", code=2)
