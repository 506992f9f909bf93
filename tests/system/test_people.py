"""People are enrolled by the root, and keys are put under a passphrase: typed as a person would."""

import json
from pathlib import Path

import pytest

from ringfence.kernel.actor import Role
from ringfence.testing import program


@pytest.fixture
def say(home_now):
    """Run a verb in this process, in a home with one person per role."""

    def verb(*arguments, **environment):
        return program.called({"RINGFENCE_HOME": str(home_now.path)} | environment, *arguments)

    return verb


def test_a_person_is_enrolled_and_can_act(say):
    enrolled = json.loads(say("user", "add", "Ada Lovelace", "--role", "engineer", "--json").stdout)
    assert enrolled["statement"]["stage"] == "published"
    key_file = Path(enrolled["key_file"])
    assert key_file.stat().st_mode & 0o777 == 0o600
    listed = json.loads(say("user", "list", "--json").stdout)["people"]
    assert [p["name"] for p in listed if p["person"] == enrolled["person"]] == ["Ada Lovelace"]
    told = say("ledger", "list", "--predicate", "key.enrolled", "--json", RINGFENCE_OPERATOR=enrolled["person"])
    assert told.returncode == 0
    assert "Ada" not in told.stdout
    assert json.loads(told.stdout)["statements"][0]["claims"]["person"] == enrolled["person"]


def test_without_the_root_key_nobody_is_enrolled_and_no_key_stays(home_now, say, tmp_path):
    kept = tmp_path / "offline.json"
    (home_now.path / "keys" / "root.json").rename(kept)
    before = sorted((home_now.path / "operators").iterdir())
    refused = say("user", "add", "Ada", "--role", "engineer")
    assert refused.returncode == 2
    assert "--root-key" in refused.stderr
    assert sorted((home_now.path / "operators").iterdir()) == before
    assert say("user", "add", "Ada", "--role", "engineer", "--root-key", str(kept)).returncode == 0


def test_who_may_not_enrol_leaves_no_key_behind(home_now, say):
    auditor = home_now.people[Role.AUDITOR].id
    before = sorted((home_now.path / "operators").iterdir())
    assert say("user", "add", "Eve", "--role", "owner", RINGFENCE_OPERATOR=auditor).returncode == 3
    assert sorted((home_now.path / "operators").iterdir()) == before


def test_protected_keys_need_their_passphrase_and_the_control_turns(say, tmp_path):
    passphrase = tmp_path / "pass"
    passphrase.write_text("correct horse battery staple\n")
    assert say("key", "protect").returncode == 2
    protected = json.loads(say("key", "protect", "--json", RINGFENCE_PASSPHRASE_FILE=str(passphrase)).stdout)
    assert len(protected["protected"]) == protected["key_files"] > 0
    again = json.loads(say("key", "protect", "--json", RINGFENCE_PASSPHRASE_FILE=str(passphrase)).stdout)
    assert again["protected"] == []
    assert say("record", "key.lifecycle").returncode == 3
    assert say("record", "key.lifecycle", RINGFENCE_PASSPHRASE_FILE=str(passphrase)).returncode == 0
    listed = json.loads(say("key", "list", "--json", RINGFENCE_PASSPHRASE_FILE=str(passphrase)).stdout)["keys"]
    assert {row["custody"] for row in listed} == {"file-passphrase"}
