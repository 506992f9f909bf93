"""What is stated about anchors fits the published schemas."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from ringfence.ledger.anchoring.configuring import AUTHORITY_CONFIGURED, QUORUM_CONFIGURED, WITNESS_CONFIGURED
from ringfence.ledger.anchoring.service import WITNESS_CONFLICT
from ringfence.ledger.model import Checkpoint
from ringfence.testing.anchors import FakeRemote, LabAuthority, witness_keys, witnessing
from ringfence.testing.home import TENANT

SPECS = Path(__file__).parents[2] / "docs" / "specs" / "predicates"
URL = "https://w.example"
ALL = (WITNESS_CONFIGURED, QUORUM_CONFIGURED, AUTHORITY_CONFIGURED, WITNESS_CONFLICT)


@pytest.fixture
def stated(services, home, tmp_path):
    configuring, remote = services.anchored.configuring, FakeRemote()
    anchoring = replace(services.anchored.service, remote=remote)
    configuring.add_witness(home.actor(), URL, [str(key.public) for key in witness_keys()], "Auditor GmbH")
    configuring.set_quorum(home.actor(), 1)
    certificate = LabAuthority.make(tmp_path / "tsa").certificate
    configuring.add_authority(home.actor(), URL, certificate, "operator", "")
    configuring.remove_authority(home.actor(), services.anchored.service.rows.authorities()[0].digest.hex())
    witness = witnessing(anchoring.trust.log_keys, anchoring.clock)
    witness.heads.kept[anchoring.trust.log] = Checkpoint(anchoring.trust.log, 1000, bytes(32))
    remote.serve(URL, witness)
    anchoring.turn()
    services.ledger.integrate()
    return [logged.envelope.statement for logged in services.ledger.statements(TENANT, ALL)]


def test_every_statement_fits_and_nothing_else_does(stated):
    assert {statement.predicate for statement in stated} == set(ALL)
    for statement in stated:
        schema = json.loads((SPECS / f"{statement.predicate}.schema.json").read_text(encoding="utf-8"))
        check, claims = jsonschema.Draft202012Validator(schema), dict(statement.claims)
        check.validate(claims)
        assert not check.is_valid(claims | {"other": 1})
        for name in schema["required"]:
            assert not check.is_valid({key: value for key, value in claims.items() if key != name})
