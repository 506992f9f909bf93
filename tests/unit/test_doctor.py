"""`doctor`: it names what is missing, how to get it, and ends with the contract's exit code."""

import json
import socket

import pytest

from ringfence import doctor
from ringfence.settings import Settings
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
