import json
from pathlib import Path

import jsonschema
import pytest

from ringfence.testing.home import TENANT
from ringfence.testing.staged import empty
from ringfence.workloads.collecting.observing import Cadence
from ringfence.workloads.collecting.wires import collectors

SPECS = Path(__file__).parents[4] / "docs" / "specs" / "predicates"
OBSERVED = [
    *("asset.inventory", "backup.integrity", "backup.restore_drill", "channel.tls", "clock.sync", "egress.verified"),
    "env.separation",
    *("incident.recurrence_check", "log.coverage", "netpolicy.verified", "node.config", "node.encryption_at_rest"),
]


def test_a_drill_is_run_when_somebody_says_so_and_the_others_by_themselves(services):
    found = collectors(services)
    assert {name for name, one in found.items() if one.cadence is Cadence.ON_DEMAND} == {"backup.restore_drill"}
    assert {name for name, one in found.items() if one.cadence is not Cadence.HOURLY} == set(OBSERVED)


@pytest.mark.parametrize("name", OBSERVED)
def test_what_is_observed_of_a_node_fits_its_schema(home, clock, name):
    with empty(home, clock) as stage:
        stage.node("trainer")
        made = collectors(stage.services)[name].collect.look(TENANT)
    assert made.predicate == name
    schema = json.loads((SPECS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(dict(made.claims))
    assert set(schema["required"]) == set(made.claims)
