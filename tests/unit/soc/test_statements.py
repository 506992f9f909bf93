import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from ringfence.soc import statements
from ringfence.soc.policy import Mode, Policy
from ringfence.soc.ports import Delivery
from ringfence.testing.clock import START
from ringfence.testing.soc import ATTACKER, PERSON, TENANT, WatchLab, alert, finding, node, ruled

SPECS = Path(__file__).parents[3] / "docs" / "specs" / "predicates"
OURS = (
    "finding.raised", "response.decided", "response.settled", "alert.sent", "alert.failed", "detection.changed",
)  # fmt: skip


@pytest.fixture(scope="module")
def drafts():
    """Every statement that the watch makes, in several situations."""
    lab = WatchLab()
    lab.see(finding("ssh-guessing-then-success"), node())
    lab.see(finding("ssh-guessing", "n-2"), None, administrator=True)
    lab.watch.declare(TENANT, finding("ssh-user-enumeration"))
    lab.post.deliver()
    lab.watch.change(PERSON, 0, Policy(mode=Mode.DRY_RUN, never_block=("198.51.100.9/32",)))
    lab.see(finding("ssh-guessing-then-success", "n-3"), node("n-3"))
    delivery = Delivery(alert(), "mail", START, 1, START)
    lab.recorder.drafts += [statements.alert_failed(delivery, "no", final=final) for final in (True, False)]
    lab.recorder.drafts.append(statements.settled("f-1", [ruled("f-1")], [delivery], by=PERSON.id, reason="seen to"))
    lab.recorder.drafts[-2].claims["about"] = lab.recorder.drafts[-3].claims["about"] = "detection-1"
    return lab.recorder.drafts


@pytest.mark.parametrize("predicate", OURS)
def test_everything_fits_its_schema_and_nothing_else_does(drafts, predicate):
    schema = json.loads((SPECS / f"{predicate}.schema.json").read_text(encoding="utf-8"))
    check = jsonschema.Draft202012Validator(schema)
    mine = [dict(draft.claims) for draft in drafts if draft.predicate == predicate]
    assert mine
    for claims in mine:
        check.validate(claims)
        assert not check.is_valid(claims | {"other": 1})
        assert not any(check.is_valid({k: v for k, v in claims.items() if k != name}) for name in schema["required"])


def test_no_envelope_names_an_address_or_a_line(drafts):
    for draft in drafts:
        envelope = json.dumps([dict(draft.claims), [(s.name, str(s.digest)) for s in draft.subjects]])
        assert ATTACKER not in envelope
        assert "198.51.100.9" not in envelope
        assert "0" * 64 not in envelope


def test_the_emergency_form_has_no_side_record():
    lab = WatchLab()
    done = lab.see(finding(), node())
    raised = lab.observers.heard[0][0]
    draft = statements.response_decided(raised, done.response, done.times, done.states, emergency=True)
    assert draft.details == {}


def test_times_never_run_backwards():
    assert statements.millis(START, START - timedelta(seconds=1)) == 0
    assert statements.millis(START, START + timedelta(seconds=1.5)) == 1500
