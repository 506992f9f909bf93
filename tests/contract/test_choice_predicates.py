"""What is stated of overrides and profiles fits the published schemas."""

import json
from pathlib import Path

import jsonschema
import pytest

from ringfence.testing.choices import ASIDE, override, select, set_aside
from ringfence.testing.clock import FakeClock
from ringfence.testing.home import TENANT

FOLDER = Path(__file__).parents[2] / "docs" / "specs" / "predicates"


@pytest.mark.parametrize("name", ["control.not_applicable", "profile.selected"])
def test_the_claims_fit(home, name):
    override(home.path, ASIDE)
    with home.services(FakeClock()) as services:
        set_aside(services, home, "SEC-10")
        select(services, home, "documents")
        (logged,) = services.ledger.statements(TENANT, (name,))
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(logged.envelope.statement.claims, schema)
