import json

import pytest

from ringfence.kernel.actor import Role
from ringfence.ledger import proof, trust
from ringfence.main import run


@pytest.fixture
def say(home_now, monkeypatch, capsys):
    """Run a verb in this process; return its exit code and what it printed."""

    def verb(*arguments, role=Role.OWNER):
        for name, value in home_now.environment(role).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            run(arguments)
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return verb


def test_the_head_is_shown(say):
    code, out, _ = say("ledger", "head", "--json")
    document = json.loads(out)
    code_in_words, words, _ = say("ledger", "head")
    assert (code, code_in_words) == (0, 0)
    assert document["root"] in words
    assert str(document["size"]) in words


def test_an_exported_head_is_added_to_the_trust_file_and_stated(say, home_now, tmp_path):
    path = tmp_path / "trust.json"
    path.write_bytes((home_now.path / "trust.json").read_bytes())
    assert say("record", "log.heartbeat")[0] == 0
    code, out, _ = say("ledger", "head", "-o", str(path), "--json")
    assert code == 0
    held = trust.parse(path.read_bytes())
    assert len(held.heads) == 2
    assert json.loads(out)["note"] == held.heads[-1]
    listed = json.loads(say("ledger", "list", "--predicate", "ledger.head_exported", "--json")[1])["statements"]
    assert [statement["claims"]["size"] for statement in listed] == [json.loads(out)["size"]]


def test_the_trust_file_of_another_log_is_left_alone(say, home_now, tmp_path):
    path = tmp_path / "trust.json"
    document = json.loads((home_now.path / "trust.json").read_bytes())
    path.write_text(json.dumps(document | {"root": "A" * 43 + "="}))
    before = path.read_bytes()
    code, _, err = say("ledger", "head", "-o", str(path))
    assert code == 2
    assert "another log" in err
    assert path.read_bytes() == before


def test_statements_are_listed_newest_first(say):
    listed = json.loads(say("ledger", "list", "--json")[1])["statements"]
    entries = [statement["entry"] for statement in listed]
    assert entries == sorted(entries, reverse=True)
    assert "key.enrolled" in say("ledger", "list")[1]
    assert "older ones: --before 1" in say("ledger", "list", "--before", "3", "--limit", "2")[1]
    assert "older ones" not in say("ledger", "list", "--before", "3")[1]


def test_a_proof_is_printed_or_written(say, tmp_path):
    code, out, _ = say("ledger", "prove", "0")
    assert (code, proof.parse(out).index) == (0, 0)
    assert say("ledger", "prove", "0", "-o", str(tmp_path / "proof"))[0] == 0
    assert proof.parse((tmp_path / "proof").read_text()).index == 0


def test_a_proof_of_nothing_is_one_sentence(say):
    code, out, err = say("ledger", "prove", "999")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_people_are_listed_and_removed(say, home_now):
    engineer = home_now.people[Role.ENGINEER]
    assert engineer.name in say("user", "list")[1]
    code, out, _ = say("user", "remove", engineer.id, "--json")
    assert (code, json.loads(out)["person"]) == (0, engineer.id)
    assert say("ledger", "list", role=Role.ENGINEER)[0] == 3
    listed = {person["person"]: person for person in json.loads(say("user", "list", "--json")[1])["people"]}
    assert listed[engineer.id]["removed_at"]
