import json

import pytest

from ringfence.main import run


@pytest.fixture
def say(monkeypatch, capsys, tmp_path):
    """Run a verb in this process, in a home that does not exist yet; return code and what was printed."""
    monkeypatch.setenv("RINGFENCE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RINGFENCE_PASSPHRASE_FILE", raising=False)

    def verb(*arguments):
        with pytest.raises(SystemExit) as ended:
            run(arguments)
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return verb


def test_init_tells_what_to_keep_elsewhere(say, tmp_path):
    code, out, _ = say("init", "--owner", "Ada", "--tenant", "acme", "--log", "acme.example/log")
    assert code == 0
    for word in ("acme.example/log", "Root key", "First head", str(tmp_path / "home" / "trust.json")):
        assert word in out


def test_init_prints_no_secret(say):
    code, out, err = say("init", "--json")
    assert code == 0
    assert "rf-" not in out.replace("ringfence", "") + err
    document = json.loads(out)
    assert document["head"]["size"] == 5
    assert len(document["people"]) == 1


def test_a_collector_is_run_and_its_entry_named(say):
    assert say("init")[0] == 0
    code, out, _ = say("record", "log.heartbeat")
    assert code == 0
    assert out.startswith("log.heartbeat published as entry 5\n")


def test_what_a_collector_saw_is_shown(say):
    """A form asks for the digest of an inventory: it has to be readable where the form says that it is."""
    assert say("init")[0] == 0
    _, out, _ = say("record", "asset.inventory")
    told = dict(line.split(maxsplit=1) for line in out.splitlines()[1:])
    assert told["assets"] == "0"
    assert told["digest"].startswith("sha256:")
    _, out, _ = say("record", "asset.inventory", "--json")
    assert json.loads(out)["claims"]["digest"] == told["digest"]


def test_a_programs_key_that_may_not_read_still_collects(say, monkeypatch):
    assert say("init")[0] == 0
    made = say("service", "add", "timer", "--role", "security", "--scope", "record.collect", "--days", "7", "--json")
    monkeypatch.setenv("RINGFENCE_TOKEN", json.loads(made[1])["secret"])
    code, out, err = say("record", "log.heartbeat")
    assert (code, len(out.splitlines()), err) == (0, 1, "")


def test_who_states_what_no_collector_does_is_named(say):
    assert say("init")[0] == 0
    code, out, err = say("record", "mgmt.vote")
    assert (code, out) == (2, "")
    assert "ringfence resolution vote RESOLUTION agree" in err


def test_a_collector_that_is_none_is_named_with_those_that_are(say):
    assert say("init")[0] == 0
    code, out, err = say("record", "nothing.known")
    assert (code, out) == (2, "")
    assert "log.heartbeat" in err


@pytest.mark.parametrize("options", [["--host", "0.0.0.0"], ["--port", "70000"]])  # noqa: S104 - refused
def test_up_stays_on_loopback_and_on_ports_that_exist(say, options):
    assert say("init")[0] == 0
    code, _, err = say("up", *options)
    assert code == 2
    assert "Traceback" not in err
