import json

import pytest

from ringfence.kernel.errors import NotFound
from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.obligations import board, catalog, sheet
from ringfence.obligations.records import Records
from ringfence.testing.obligations import Story, meeting

CATALOG = catalog.load()
HEARTBEAT = CATALOG.requirements["log-06.heartbeat"]


def document(story, **options):
    records = Records.of(story.tenant, story.statements, demo=story.demo)
    return sheet.document(board.compute(CATALOG, records, story.now), **options)


def told(**flags):
    story = Story()
    story.add(HEARTBEAT.evidence, {}, role=KeyRole.CONTROL_PLANE, standing=Standing.REVOKED)
    story.add(HEARTBEAT.evidence, meeting(HEARTBEAT), role=KeyRole.CONTROL_PLANE, **flags)
    return story


def test_the_fields_of_the_whole():
    found = document(told())
    assert list(found) == [
        *("as_of", "rules", "tenant", "demo", "counts", "controls", "obligations", "anchored_outside_until"),
        *("overrides", "profile"),
    ]
    assert found["counts"] == {
        "satisfied": 1,
        "pending": 0,
        "not-satisfied": 104,
        "upcoming": 4,
        "not-applicable": 0,
        "denominator": 105,
    }
    assert found["rules"] == str(CATALOG.digest)
    assert json.loads(json.dumps(found)) == found


def test_one_control_with_everything_it_rests_on():
    found = document(told(late=True), control="LOG-06")
    (control,) = found["controls"]
    assert (control["state"], control["reason"], control["entries"]) == ("satisfied", None, [1])
    assert control["next_change"] == "2026-11-23T09:00:02.000Z"
    assert control["weakest_strength"] == "observed"
    assert [(k["role"], k["custody"]) for k in control["keys"]] == [("control-plane", "file-passphrase")]
    assert control["does_not_prove"]
    (part,) = control["requirements"]
    assert part["rests_on"][0]["late"] is True
    assert [i["why"] for i in part["ignored"]] == ["its key was revoked when the log took it in"]
    assert {o["standing"] for o in control["obligations"]} == {"undetermined"}
    assert found["counts"]["denominator"] == 105


def test_obligations_are_listed_by_standing():
    found = document(told())["obligations"]
    assert found["counts"]["undetermined"] == len(found["undetermined"]) > 0
    assert sum(found["counts"].values()) == len(CATALOG.obligations)


def test_an_unknown_control_is_named():
    with pytest.raises(NotFound, match="there is no control 'GOV-99'; there are GOV-01"):
        document(told(), control="GOV-99")


def test_only_the_anchor_carries_its_time():
    found = document(told(), control="LOG-02")
    chain, head, _ = found["controls"][0]["requirements"]
    assert "anchored_outside_until" in head
    assert "anchored_outside_until" not in chain
