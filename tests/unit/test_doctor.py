"""`doctor`: it names what is missing, how to get it, and ends with the contract's exit code."""

import json
import socket

import pytest

from ringfence import doctor
from ringfence.settings import Settings
from ringfence.storage.duty import Duty
from ringfence.testing.choices import SHORTER, override
from ringfence.testing.gateway_process import GatewayProcess


def checks(home):
    return {check.name: check for check in doctor.examine(Settings(home))}


def test_a_fresh_machine_has_what_is_needed(tmp_path):
    found = checks(tmp_path / "nowhere")
    assert all(check.ok for check in found.values() if check.needed)
    assert {"python", "signatures", "database", "disk space", "home", "clock"} <= found.keys()
    assert "not made yet" in found["home"].found


def test_keys_in_the_plain_are_named_with_the_remedy(home):
    found = checks(home.path)
    assert not found["keys"].ok
    assert not found["keys"].needed
    assert "ringfence key protect" in found["keys"].remedy


def test_a_missing_thing_that_is_needed_ends_with_4(tmp_path, monkeypatch, capsys):
    place = tmp_path / "a-file"
    place.write_text("not a directory")
    (tmp_path / "a-file").chmod(0o400)
    monkeypatch.setenv("RINGFENCE_HOME", str(place / "home"))
    with pytest.raises(SystemExit) as ended:
        doctor.doctor(as_json=True)
    assert ended.value.code == 4
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert any(not check["ok"] and check["needed"] and check["remedy"] for check in document["checks"])


def test_a_port_in_use_is_said_and_not_fatal(tmp_path):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", doctor.DEFAULT_PORT))
            other.listen()
        except OSError:
            pass  # somebody else has the port: the same case
        found = checks(tmp_path)
    assert not found["port"].ok
    assert not found["port"].needed
    assert "--port" in found["port"].remedy


def test_every_check_that_is_not_ok_has_a_remedy(home):
    assert all(check.remedy for check in doctor.examine(Settings(home.path)) if not check.ok)


def test_a_gateway_that_runs_alone_and_an_up_that_runs_alone_are_named(tmp_path):
    assert checks(tmp_path)["gateway"].ok
    with socket.socket(socket.AF_UNIX) as up:
        up.bind(str(tmp_path / "ringfence.sock"))
        up.listen()
        found = checks(tmp_path)["gateway"]
        assert (found.ok, found.needed) == (False, False)
        assert "gateway.log" in found.remedy
    (tmp_path / "ringfence.sock").unlink()
    with GatewayProcess(tmp_path / "home") as alone:
        found = checks(alone.home)["gateway"]
    assert not found.ok
    assert "refuses every caller" in found.found


@pytest.mark.databases
def test_the_database_is_named_and_one_that_does_not_answer_too(home, database_kind):
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL answers"}[database_kind]
    found = checks(home.path)["database"]
    assert found.ok
    assert kind in found.found
    if home.server is not None:
        gone = home.server.url("nowhere")
        (found,) = [c for c in doctor.examine(Settings(home.path, database_url=gone)) if c.name == "database"]
        assert (found.ok, found.needed) == (False, True)
        assert "no database of that name" in found.found


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_it_says_who_runs_the_installation_and_who_stands_by(home, services):
    with home.services() as other:
        runs, waits = Duty(services.database, "one:/srv/home"), Duty(other.database, "two:/srv/home")
        assert (runs.take(), waits.take()) == (True, False)
        said = checks(home.path)["database"].found
        assert said.endswith("; `ringfence up` runs at one:/srv/home; two:/srv/home stands by")
        runs.leave()
        waits.leave()


def test_overrides_are_counted_and_what_is_refused_is_named_with_its_place(tmp_path):
    def row():
        return next(check for check in doctor.examine(Settings(home=tmp_path)) if check.name == "overrides")

    assert (row().ok, row().found) == (True, "none: the rules as shipped")
    override(tmp_path, SHORTER)
    assert row().found == "rows: 1, files: 1"
    override(tmp_path, SHORTER.replace("60", "600"))
    assert (row().ok, row().needed) == (False, False)
    assert row().found.startswith("overrides/10-team.yaml:3:")
