"""What the code states fits the published schemas."""

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from ringfence.kernel.actor import Role
from ringfence.obligations.reading import package_file
from ringfence.testing.home import TENANT

SPECS = Path(__file__).parents[2] / "docs" / "specs" / "predicates"
OURS = [
    *("key.enrolled", "key.revoked", "key.lifecycle", "access.register"),
    *("log.chain_verified", "log.heartbeat", "incident.register", "retention.register"),
]


def validator(predicate):
    schema = json.loads((SPECS / f"{predicate}.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


SAMPLES = json.loads(package_file("samples/statements.json"))


@pytest.fixture
def stated(services, home, clock):
    """Every statement that an installation makes of itself."""
    for name in services.collectors:
        services.collectors[name](TENANT)
    clock.advance(timedelta(minutes=1))
    services.identity.remove(home.people[Role.ENGINEER].id, by=home.actor(), left_at=None, reason="left")
    for name in services.collectors:
        services.collectors[name](TENANT)
    return [logged.envelope.statement for logged in services.ledger.statements(TENANT)]


def test_everything_that_is_stated_fits_its_schema(stated):
    assert {statement.predicate for statement in stated} >= set(OURS)
    for statement in stated:
        validator(statement.predicate).validate(dict(statement.claims))


@pytest.mark.parametrize("predicate", OURS)
def test_a_schema_refuses_what_it_does_not_name_and_what_is_missing(stated, predicate):
    claims = dict(next(s.claims for s in stated if s.predicate == predicate))
    check = validator(predicate)
    assert not check.is_valid(claims | {"other": 1})
    for name in json.loads((SPECS / f"{predicate}.schema.json").read_text(encoding="utf-8"))["required"]:
        assert not check.is_valid({key: value for key, value in claims.items() if key != name})


def test_an_exported_head_fits_its_schema():
    claims = {"size": 3, "root": "0" * 64, "destination": "file"}
    validator("ledger.head_exported").validate(claims)
    assert not validator("ledger.head_exported").is_valid(claims | {"destination": "elsewhere"})


@pytest.mark.parametrize("predicate", SAMPLES)
def test_a_sample_of_the_rules_fits_its_schema(predicate):
    validator(predicate).validate(SAMPLES[predicate]["claims"])
