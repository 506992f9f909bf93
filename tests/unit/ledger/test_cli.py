import json

import pytest

from ringfence.kernel.actor import Role
from ringfence.kernel.errors import VerificationFailed
from ringfence.ledger import cli, note, proof, trust
from ringfence.ledger.succession import keys_of
from ringfence.main import run
from ringfence.testing.succeeding import renewed


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


def test_outsiders_who_were_away_while_the_logs_keys_were_replaced(say, home_now, tmp_path):
    old, path, pack = tmp_path / "old.json", tmp_path / "new.json", tmp_path / "a.pack"
    for place in (old, path):
        place.write_bytes((home_now.path / "trust.json").read_bytes())
    assert say("key", "rotate", "ledger", "--since", "2026-11-22T01:02:03.456Z")[0] == 2
    code, words, _ = say("key", "rotate", "ledger", "--reason", "compromised")
    assert code == 0
    assert say("report", "pack", "-o", str(pack))[0] == 0
    assert say("verify", str(pack), "--trust", str(old))[0] == 0
    assert say("ledger", "head", "-o", str(path))[0] == 0
    told, before = trust.parse(path.read_bytes()), trust.parse(old.read_bytes())
    assert (told.heads[: len(before.heads)], told.log_keys) == (before.heads, before.log_keys)
    assert all(vkey in words for vkey in keys_of(told).current)
    assert len(trust.open_heads(told)) == len(before.heads) + 1


def test_a_trust_file_takes_no_keys_that_its_root_did_not_sign(tmp_path):
    log, stranger = renewed(), renewed(seed="stranger")
    head = log.head()
    document = {
        "log": log.origin,
        "root_key": note.encode_base64(log.public("root")),
        "first_log_keys": list(log.log_keys),
        "successions": [json.loads(envelope.data) for envelope in stranger.successions()],
        "note": head.note,
    }
    with pytest.raises(VerificationFailed, match="not by the key given"):
        cli._with_head(log.trust(), document, tmp_path)
    with pytest.raises(VerificationFailed, match="its keys were replaced"):
        cli._with_head(log.trust(), document | {"successions": []}, tmp_path)
