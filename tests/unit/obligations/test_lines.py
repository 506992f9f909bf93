from datetime import timedelta

from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.obligations import board, catalog, domains, lines, overrides, sheet
from ringfence.obligations.records import Records
from ringfence.obligations.results import State
from ringfence.testing.obligations import Story, meeting

CATALOG = catalog.load()
RULES = CATALOG.requirements


def document(story, **options):
    records = Records.of(story.tenant, story.statements, demo=story.demo)
    return sheet.document(board.compute(CATALOG, records, story.now), **options)


def told(*, demo=False):
    story = Story(demo=demo)
    for name in ("log-06.heartbeat", "dat-01.sealed"):
        story.add(RULES[name].evidence, meeting(RULES[name]), subject="dataset/a", role=min(RULES[name].issuers))
    return story


def test_every_state_has_a_shape_and_a_word():
    assert list(lines.SHAPES) == [state.value for state in State if state.value in lines.SHAPES]
    assert len(set(lines.SHAPES.values())) == len(State)


def test_the_summary_says_the_state_the_reason_and_the_next_step():
    text = "\n".join(lines.summary(document(told()), every=True))
    assert "1 of 105 controls satisfied; 4 pending" in text
    assert "● satisfied  LOG-06" in text
    assert "▲ pending  DAT-01" in text
    assert "■ not satisfied (missing)  SEC-04" in text
    assert "next: ringfence scope FILE --sign" in text
    assert "Anchored outside until never: a rebuild is not excluded" in text
    assert "Obligations binding: 0" in text
    assert "DEMO" not in text


def test_open_controls_without_evidence_are_counted_by_domain():
    found = document(told())
    text = list(lines.summary(found))
    bare = [control for control in found["controls"] if domains.document_without_evidence(control)]
    assert len(bare) > 90
    assert not [line for line in text for control in bare if f"  {control['id']}  " in line]
    for control in found["controls"]:
        assert (control in bare) or any(f"  {control['id']}  " in line for line in text), control["id"]
    listed = {line.split()[0]: line for line in text if "ringfence status --domain" in line}
    assert {domain: int(line.split()[-5]) for domain, line in listed.items()} == domains.counted(bare)
    for domain, line in listed.items():
        assert domains.NAMES[domain] in line
        assert line.endswith(f"ringfence status --domain {domain}")
    assert any(f"{len(bare)} more" in line and "ringfence status --all" in line for line in text)
    assert len(text) < 60


def test_every_control_is_said_where_every_one_is_asked_for():
    found = document(told())
    text = list(lines.summary(found, every=True))
    for control in found["controls"]:
        assert any(f"  {control['id']}  " in line for line in text), control["id"]
    assert not any("--domain" in line for line in text)


def test_what_does_not_work_stands_above_the_controls():
    fault = {"rule": "gateway-silent", "since": "2026-11-22T09:00:00.000Z", "what": "The gateway does not serve"}
    found = list(lines.summary(document(told()) | {"not_working": [fault | {"because": "nobody answers"}]}))
    assert found.index("■ not working  The gateway does not serve: nobody answers (since 2026-11-22T09:00:00.000Z)") < 5


def test_demo_is_said_first():
    assert next(lines.summary(document(told(demo=True)))).startswith("DEMO")


def test_the_chain_leads_down_to_the_statements():
    story = told()
    story.add("dataset.verified", {"result": "fail"}, subject="dataset/a", role=KeyRole.OPERATOR, late=True)
    for _ in range(25):
        story.add("dataset.verified", {}, subject="dataset/a", standing=Standing.UNKNOWN)
    story.wait(timedelta(days=2))
    text = "\n".join(lines.chain(document(story, control="DAT-01")))
    assert "■ not satisfied (contradicted)  DAT-01" in text
    assert "entry 1: dataset.sealed of dataset/a, observed, recorded 2026-" in text
    assert "entry 2: dataset.verified of dataset/a, observed, late, recorded" in text
    assert "✕ entry 27: dataset.verified does not count, its key was unknown" in text
    assert "and 5 more that do not count" in text
    assert "could have made it up: operator key" in text
    assert "does not prove: That" in text
    assert "NIS2 21(2)(h): undetermined, no scope was signed" in text


def test_what_a_team_chose_is_said_at_the_top_and_counted_in_both_ways():
    row = {"reason": "nobody runs images", "owner": "security-lead", "expires": "2027-05-01"}
    rows = [{"control": name, "because": "built here", "not_applicable": row} for name in ("SEC-10", "BCM-04")]
    value = {"meta": {"version": 1, "owner": "lead", "reviewed_on": "2026-11-01"}, "overrides": rows}
    known = overrides.apply(CATALOG, overrides.of_values([{"name": "a", "value": value}]))
    story = told()
    for name in ("SEC-10", "BCM-04"):
        file = known.overrides.set_aside[name].file
        claims = {"control": name, "expires": "2027-05-01", "overrideDigest": str(file)}
        story.add("control.not_applicable", claims, subject=f"control/{name}")
    story.add("profile.selected", {"profile": "health"}, subject="profile/health")
    records = Records.of(story.tenant, story.statements)
    found = sheet.document(board.compute(known, records, story.now))
    text = "\n".join(lines.summary(found))
    assert "Profile health, which this release changed since it was signed" in text
    assert "of 2 rows" in text
    counts = found["counts"]
    whole = f"with these it is {counts['satisfied']} of {counts['denominator'] + 1}"
    assert f"1 set aside by signed reasons; {whole}" in text
    chained = "\n".join(lines.chain(found))
    assert "asked by the profile health, whatever the scope says" in chained
    assert "that does not count: in conflict with the signed profile health" in chained
