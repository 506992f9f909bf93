"""What is stated of customers fits the published schemas."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from ringfence.customers.model import Occasion
from ringfence.customers.questions import Pointer, Question
from ringfence.testing.customers import HOSPITAL, packed
from ringfence.testing.home import TENANT

SPECS = Path(__file__).parents[2] / "docs" / "specs" / "predicates"
OURS = {f"customer.{name}" for name in ("registered", "changed", "removed", "answered", "packed", "announced")}


@pytest.fixture
def stated(services, home):
    customers, owner = services.customers, home.actor()
    wanted = replace(HOSPITAL, things={}, hours=dict.fromkeys(Occasion, 6))
    name, _ = customers.add(owner, wanted)
    customers.change(owner, name, wanted)
    customers.answer(owner, name, [Question("1", "?", Pointer())], "q.csv")
    customers.announce(owner, "Sample Cloud")
    packed(home, services, name)
    customers.remove(owner, name, "over")
    return [logged.envelope.statement for logged in services.ledger.statements(TENANT)]


def test_everything_that_is_stated_fits_its_schema(stated):
    found = [statement for statement in stated if statement.predicate in OURS]
    assert {statement.predicate for statement in found} == OURS
    for statement in found:
        schema = json.loads((SPECS / f"{statement.predicate}.schema.json").read_text(encoding="utf-8"))
        check = jsonschema.Draft202012Validator(schema)
        check.validate(dict(statement.claims))
        assert not check.is_valid(dict(statement.claims) | {"other": 1})
        for name in schema["required"]:
            assert not check.is_valid({key: value for key, value in statement.claims.items() if key != name})
