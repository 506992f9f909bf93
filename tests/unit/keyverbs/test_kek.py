import json
from pathlib import Path

import jsonschema

from ringfence.artifacts.keyring import FileKeyring, at_home
from ringfence.testing.home import TENANT


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


def test_the_kek_is_replaced_and_that_is_stated(say, home_now, tmp_path):
    (tmp_path / "data").write_text("data")
    assert say("dataset", "seal", tmp_path / "data", "corpus")[0] == 0
    before = at_home(home_now.path, None).kek
    code, document, _ = say("key", "rotate", "kek", "--json")
    assert code == 0
    assert document.pop("statement")["stage"] == "published"
    assert document == {
        "old": before,
        "new": at_home(home_now.path, None).kek,
        "custody": "file-plain",
        "wrapped": 1,
        "others": 0,
        "destroyed": True,
    }
    assert sorted(path.name for path in home_now.path.glob("kek.*")) == ["kek.json"]
    code, text, _ = say("key", "rotate", "kek")
    assert (code, text.splitlines()[1]) == (0, "The old key is destroyed here.")
    assert say("dataset", "open", "corpus", tmp_path / "again")[0] == 0
    assert (tmp_path / "again" / "data").read_text() == "data"
    with home_now.services() as services:
        found = [each.envelope.statement for each in services.ledger.statements(TENANT, ("kek.rotated",))]
    assert [each.claims["replaced"] for each in found] == [before, document["new"]]
    schema = Path(__file__).parents[3] / "docs" / "specs" / "predicates" / "kek.rotated.schema.json"
    check = jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
    for statement in found:
        check.validate(dict(statement.claims))
        assert not check.is_valid(dict(statement.claims) | {"other": 1})
