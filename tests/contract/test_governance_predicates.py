"""What is stated of resolutions fits the published schemas, and what the code takes fits them too."""

import json
from pathlib import Path

import jsonschema
import pytest

from ringfence.kernel.voting import Choice
from ringfence.testing.governing import sitting
from ringfence.testing.home import TENANT

SPECS = Path(__file__).parents[2] / "docs" / "specs" / "predicates"
OURS = ("mgmt.resolution_opened", "mgmt.vote", "mgmt.approval", "measures.in_force")


@pytest.fixture
def stated(services, home):
    body = sitting(services, home, 2)
    for about in ("measures", "BCM-05"):
        put = body.put(about=about, records=(1,))
        body.vote(put, body.members[0], Choice.AGREE)
        body.vote(put, body.members[0], Choice.DISAGREE)
        body.vote(put, body.members[1], Choice.ABSTAIN)
    carried = body.put(members=(body.members[0].person.id,))
    body.vote(carried, body.members[0], Choice.AGREE)
    services.ledger.integrate()
    return [logged.envelope.statement for logged in services.ledger.statements(TENANT, OURS)]


def test_everything_that_is_stated_fits_its_schema(stated):
    assert [statement.predicate for statement in stated].count("mgmt.vote") == 7
    assert {statement.predicate for statement in stated} == set(OURS)
    for statement in stated:
        schema = json.loads((SPECS / f"{statement.predicate}.schema.json").read_text(encoding="utf-8"))
        check = jsonschema.Draft202012Validator(schema)
        check.validate(dict(statement.claims))
        assert not check.is_valid(dict(statement.claims) | {"other": 1})
        for name in schema["required"]:
            assert not check.is_valid({key: value for key, value in statement.claims.items() if key != name})
