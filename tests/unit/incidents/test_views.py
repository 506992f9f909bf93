import json

from ringfence.incidents import acts, views
from ringfence.testing.incidents import NAME, TENANT, LabIncidents


def test_the_whole_of_an_incident_is_plain_json_with_names():
    lab = LabIncidents()
    name = lab.detect("ssh-guessing-then-success", title="\x1b[2Jowned")
    lab.triage(name)
    lab.file(name, "nis2.early_warning")
    lab.post(name, acts.corrected(lab.seen(name), "contact", reason="asked", value="Dana"))
    document = views.room(lab.service, TENANT, name)
    assert json.loads(json.dumps(document)) == document
    assert document["title"] == "\\u{1b}[2Jowned"
    assert document["times"] == {
        "occurred": None,
        "detected": "2026-11-22T09:00:00.000Z",
        "triaged": "2026-11-22T09:00:00.000Z",
        "aware": "2026-11-22T09:00:00.000Z",
    }
    assert document["filed"][0]["name"] == document["awareness"][0]["name"] == NAME
    assert document["corrections"][0]["field"] == "contact"
    assert document["timeline_head"]["position"] == len(document["timeline"]) == 4
    assert document["next"]["id"] == "contract.customer_notice/cars"


def test_a_list_shows_what_runs_and_what_is_late():
    from datetime import timedelta

    lab = LabIncidents()
    lab.triage(lab.detect())
    lab.clock.advance(timedelta(hours=25))
    (line,) = [views.summary(shown) for shown in lab.service.all(TENANT)]
    assert (line["state"], line["clocks_late"], line["clocks_running"]) == ("significant", 3, 4)
