import json
import subprocess
from pathlib import Path

import pytest

from ringfence.artifacts.keyring import FileKeyring, at_home
from ringfence.installation import open_home
from ringfence.kernel.actor import Role
from ringfence.kernel.clock import to_text
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.main import run
from ringfence.storage import keyfile
from ringfence.storage.shares import split
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing.home import TENANT
from ringfence.testing.program import COMMAND, environment


@pytest.fixture(scope="module")
def held(made_now, tmp_path_factory):
    """The signing keys of every copy of this home, by role, at the cost of no verb."""
    with made_now.copy(tmp_path_factory.mktemp("held") / "home").services() as services:
        return {each.role: each for each in services.keys.history(TENANT)}


@pytest.fixture
def say(monkeypatch, capsys, home_now):
    """Run a verb in this process; return code, document or text, and what was said beside it."""
    for name, value in home_now.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RINGFENCE_PASSPHRASE_FILE", raising=False)

    def verb(*arguments):
        with pytest.raises(SystemExit) as ended:
            run([*map(str, arguments)])
        out, err = capsys.readouterr()
        code = int(ended.value.code or 0)
        return code, json.loads(out) if "--json" in arguments and out else out, err

    return verb


def signing_keys(say):
    return {row["role"]: row for row in say("key", "list", "--json")[1]["signing_keys"]}


def test_the_list_shows_whose_key_it_is_where_it_lies_and_what_it_signs(say):
    rows = signing_keys(say)
    assert rows["root"]["custody"] == "pinned"
    assert {rows[role]["custody"] for role in ("control-plane", "ledger", "emergency", "gateway")} == {"file-plain"}
    assert rows["ledger"]["signs"] == "heads of the log"
    assert rows["operator"]["person"].startswith("person-")
    assert {row["state"] for row in rows.values()} == {"in force"}
    code, text, _ = say("key", "list")
    assert code == 0
    assert "what containment did" in text


def test_a_person_s_key_is_revoked_with_reason_and_time(say, held, home_now):
    ended = held[KeyRole.OPERATOR]
    since = to_text(ended.since)
    code, document, _ = say("key", "revoke", ended.key[:16], "--reason", "lost", "--since", since, "--json")
    assert code == 0
    rows = {row["key"]: row for row in say("key", "list", "--json")[1]["signing_keys"]}
    assert (rows[ended.key]["state"], rows[ended.key]["reason"]) == ("revoked", "lost")
    assert document["statement"]["entry"] is not None
    with home_now.services() as services:
        assert services.ledger.issuers(TENANT).at(ended.key, services.clock.now())[0] is Standing.REVOKED


def test_a_key_in_service_is_not_taken_away_and_an_unknown_one_not_found(say, held):
    code, _, err = say("key", "revoke", held[KeyRole.CONTROL_PLANE].key)
    assert code == 3
    assert "rotate control-plane" in err
    code, _, err = say("key", "revoke", held[KeyRole.ROOT].key)
    assert code == 3
    assert "nobody revokes the root" in err
    assert [say("key", "revoke", text)[0] for text in ("ffffffffffffffff", "x")] == [2, 2]


def test_a_key_is_replaced(say, held, home_now):
    before = held[KeyRole.CONTROL_PLANE].key
    code, document, _ = say("key", "rotate", "control-plane", "--json")
    assert (code, document["old"]) == (0, before)
    rows = {row["key"]: row for row in say("key", "list", "--json")[1]["signing_keys"]}
    assert rows[before]["state"] == "revoked"
    assert rows[document["new"]]["state"] == "in force"
    kept = keyfile.load(home_now.path / "keys" / "service.json", None)
    assert Ed25519Signer.from_seed(kept.secret("control-plane")).key == document["new"]


def test_the_root_is_split_stated_and_removed_and_shares_enrol(say, home_now, tmp_path):
    folder = tmp_path / "shares"
    code, document, _ = say("key", "split-root", folder, "--threshold", 2, "--shares", 3, "--json")
    assert (code, len(document["files"])) == (0, 3)
    assert not open_home(home_now.path).root_path.exists()
    assert signing_keys(say)["root"]["kept"][-1] | {"since": ""} == {
        "since": "",
        "custody": "shares",
        "threshold": 2,
        "shares": 3,
    }
    first, second, third = document["files"]
    assert say("key", "join-root", "--share", first, "--share", third)[0] == 0
    assert say("user", "add", "Ada", "--role", "engineer")[0] == 2
    given = ["--root-share", second, "--root-share", third]
    assert say("user", "add", "Ada", "--role", "engineer", *given)[0] == 0
    code, _, err = say("user", "add", "Bea", "--role", "engineer", "--root-share", first)
    assert code == 3
    assert "1 were given" in err


def test_shares_on_paper_are_printed_once_and_written_nowhere(say, home_now):
    code, document, _ = say("key", "split-root", "-", "--json")
    assert (code, len(document["shares"])) == (0, 3)
    words = document["shares"][0].split("words ")[1][:60].encode()
    files = [path for path in home_now.path.rglob("*") if path.is_file()]
    assert not [path for path in files if words in path.read_bytes()]


def test_a_splitting_that_fails_leaves_the_root_key(say, home_now, tmp_path):
    folder = tmp_path / "shares"
    folder.mkdir()
    (folder / "root-share-2.txt").write_text("in the way")
    assert say("key", "split-root", folder)[0] != 0
    assert sorted(path.name for path in folder.iterdir()) == ["root-share-2.txt"]
    assert keyfile.load(open_home(home_now.path).root_path, None).secret("root")
    assert say("key", "split-root", "-", "--threshold", "1")[0] == 2
    assert open_home(home_now.path).root_path.exists()


def test_a_root_that_could_not_be_shown_in_shares_stays(home_now):
    command = [*COMMAND, "key", "split-root", "-"]
    with Path("/dev/full").open("w") as nowhere:
        done = subprocess.run(command, env=environment(home_now.environment(Role.OWNER)), stdout=nowhere, check=False)
    assert done.returncode != 0
    assert keyfile.load(open_home(home_now.path).root_path, None).secret("root")


def test_a_root_of_another_home_is_not_split(say, tmp_path):
    keyfile.create(tmp_path / "other.json", {"root": bytes(32)}, None)
    assert say("key", "split-root", tmp_path / "shares", "--root-key", tmp_path / "other.json")[0] != 0
    assert list((tmp_path / "shares").iterdir()) == []
    assert (tmp_path / "other.json").exists()


def test_shares_of_another_home_are_found_out(say, tmp_path):
    paths = []
    for number, share in enumerate(split(bytes(32), threshold=2, shares=2)):
        paths.append(tmp_path / str(number))
        paths[-1].write_text(share.to_text())
        paths[-1].chmod(0o600)
    code, _, err = say("key", "join-root", "--share", paths[0], "--share", paths[1])
    assert code == 1
    assert "of another home" in err
    paths[0].chmod(0o644)
    assert say("key", "join-root", "--share", paths[0], "--share", paths[1])[0] == 2


def test_the_kek_goes_into_a_token_and_that_is_stated(say, home_now, software_token):
    given = ["--pkcs11", software_token.module, "--token", software_token.label, "--pin-file", software_token.pin_file]
    assert say("key", "move", "kek", *given)[0] == 2  # there is none yet
    made = FileKeyring.create(home_now.path / "kek.json", None)
    wrapped = made.wrap(b"k" * 32)
    code, document, _ = say("key", "move", "kek", *given, "--json")
    assert (code, document["key"]) == (0, made.kek)
    assert at_home(home_now.path, None).unwrap(wrapped) == b"k" * 32
    assert say("record", "key.lifecycle")[0] == 0
    stated = say("ledger", "list", "--predicate", "key.lifecycle", "--json")[1]["statements"]
    assert stated[0]["claims"]["kekCustody"] == "pkcs11"
    assert say("key", "move", "kek", *given)[0] == 3
