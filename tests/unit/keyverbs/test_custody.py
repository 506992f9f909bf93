from ringfence.testing.home import TENANT


def test_the_list_shows_whose_key_it_is_where_it_lies_and_what_it_signs(say, signing_keys):
    rows = signing_keys()
    assert rows["root"]["custody"] == "pinned"
    assert {rows[role]["custody"] for role in ("control-plane", "ledger", "emergency", "gateway")} == {"file-plain"}
    assert rows["ledger"]["signs"] == "heads of the log"
    assert rows["operator"]["person"].startswith("person-")
    assert {row["state"] for row in rows.values()} == {"in force"}
    code, text, _ = say("key", "list")
    assert code == 0
    assert "what containment did" in text


def test_a_service_s_key_is_made_in_a_token_and_signs_there(say, signing_keys, home_now, software_token):
    place = ("--pkcs11", software_token.module, "--token", software_token.label, "--pin-file", software_token.pin_file)
    code, document, _ = say("key", "move", "control-plane", *place, "--json")
    assert (code, document["custody"]) == (0, "pkcs11")
    assert say("record", "key.lifecycle")[0] == 0
    row = signing_keys()["control-plane"]
    assert row["custody"] == "pkcs11"
    with home_now.services() as services:
        found = services.ledger.statements(TENANT, ("key.lifecycle",))[-1].envelope
    assert found.signer == document["key"]
    assert found.statement.claims["inToken"] == 1
