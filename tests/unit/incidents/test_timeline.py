from dataclasses import replace

import pytest

from ringfence.incidents import timeline
from ringfence.kernel.digest import Digest
from ringfence.testing.incidents import TENANT, LabIncidents, event


@pytest.mark.parametrize(
    "changes", [{"kind": "closed"}, {"by": "somebody"}, {"body": {"n": 2}}, {"salt": bytes(15) + b"1"}]
)
def test_the_chain_changes_with_whatever_is_changed(changes):
    first = timeline.link(timeline.START, event(1))
    assert timeline.link(timeline.START, replace(event(1), **changes)) != first
    assert timeline.link(first, event(1)) != first


def test_heads_are_those_of_one_incident_only():
    lab = LabIncidents()
    one, other = lab.detect(), lab.detect(subject="n-00000002")
    lab.triage(one)
    stated = lab.log.statements(TENANT, ("incident.opened", "incident.triage"))
    incident = lab.room(one).incident
    assert timeline.heads(stated, one) == {1: incident.timeline[0].link}
    assert timeline.heads(stated, "i-ffffffff") == {}
    assert timeline.intact(incident.timeline, timeline.heads(stated, one))
    assert not timeline.intact(lab.room(other).incident.timeline, timeline.heads(stated, one))
    assert not timeline.intact(incident.timeline, {9: Digest.of(b"")})


def test_every_event_has_words():
    lab = LabIncidents()
    name = lab.detect()
    lab.triage(name)
    lab.file(name, "nis2.early_warning")
    words = [entry.text for entry in lab.room(name).incident.timeline]
    assert words[0] == "opened (finding)"
    assert words[1].startswith("decided: significant, aware at 2026-11-22T09:00:00.000Z (3(1)(e))")
    assert words[2].startswith("filed: nis2.early_warning at")
