"""Any answers whatever lead to a result, and the file behind it says the same to `ringfence scope FILE`."""

import json

import jsonschema
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.obligations.reading import package_file
from ringfence.obligations.scope.classify import classify
from ringfence.obligations.scope.organisation import parse
from ringfence.obligations.scope.wizard import turn
from ringfence.testing.organisations import ON
from ringfence.testing.wizard import answered, sheets

SCHEMA = jsonschema.Draft202012Validator(json.loads(package_file("organisation.schema.json")))
PARTS = {
    "nis2",
    "binds_2690",
    "jurisdiction",
    "supply_chain_duty_only",
    "ai_act",
    "cra",
    "fines",
    "gdpr",
    "undetermined",
}
CATEGORIES = {"essential", "important", "out_of_scope", "registration_only", "undetermined"}


@settings(max_examples=40, deadline=None)
@given(sheets())
def test_any_answers_lead_to_a_result_of_the_documented_form(sheet):
    found = turn.take(sheet, ON)
    assert set(found.document) >= PARTS
    assert found.document["nis2"]["category"] in CATEGORIES
    json.dumps(found.document)
    assert classify(parse(found.text.encode()), ON) == found.document
    plain = yaml.safe_load(found.text)
    for card in (*(plain.get("ai_systems") or ()), *(plain.get("products") or ())):
        if "placed_on_market" in card:
            card["placed_on_market"] = str(card["placed_on_market"])
        for key in ("training_compute", "modification_compute", "original_compute"):
            card.pop(key, None)  # other readers of YAML take 1e23 for a text
    SCHEMA.validate(plain)


@settings(max_examples=30, deadline=None)
@given(sheets(), st.data())
def test_what_the_wizard_asks_next_is_always_something_that_it_takes(sheet, data):
    """Answering a question that came up never takes the result away, and never leads to a dead end."""
    found = turn.take(sheet, ON)
    asked = [(one.name, one) for one in found.further]
    asked += [(f"{card.place}.{one.name}", one) for card in found.cards for one in (*card.deeper, *card.product)]
    for name, question in asked:
        value = data.draw(st.sampled_from([option.value for option in question.options]))
        again = turn.take({**sheet, name: [value]}, ON)
        assert set(again.document["nis2"]["possible"]) <= set(found.document["nis2"]["possible"]) or value == "unknown"


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(answered())))
def test_an_answer_that_is_taken_back_never_says_more(name):
    known = turn.take(answered(), ON).document
    unknown = turn.take({key: value for key, value in answered().items() if key != name}, ON).document
    assert set(known["nis2"]["possible"]) <= set(unknown["nis2"]["possible"])
