from ringfence.kernel.clock import to_text
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.storage import keyfile
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing.home import TENANT


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


def test_without_a_reason_it_says_what_will_count_for_nothing_and_wants_a_yes(say, held, home_now):
    ended = held[KeyRole.OPERATOR]
    with home_now.services() as services:
        count = sum(one.envelope.signer == ended.key for one in services.ledger.statements(TENANT))
    code, _, err = say("key", "revoke", ended.key)
    assert code == 2
    assert f"counts as compromised. {count} older statements of it" in " ".join(err.split())
    assert {row["key"]: row for row in say("key", "list", "--json")[1]["signing_keys"]}[ended.key][
        "state"
    ] == "in force"
    code, document, _ = say("key", "revoke", ended.key, "--yes", "--json")
    assert (code, document["reason"], document["unvouched"]) == (0, "compromised", count)


def test_a_key_in_service_is_not_taken_away_and_an_unknown_one_not_found(say, held):
    code, _, err = say("key", "revoke", held[KeyRole.CONTROL_PLANE].key, "--yes")
    assert code == 3
    assert "rotate control-plane" in err
    code, _, err = say("key", "revoke", held[KeyRole.ROOT].key, "--yes")
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
