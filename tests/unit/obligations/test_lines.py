from datetime import timedelta

from ringfence.kernel.statement import KeyRole
from ringfence.ledger.model import Standing
from ringfence.obligations import board, catalog, lines, sheet
from ringfence.obligations.model import State
from ringfence.obligations.records import Records
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
    text = "\n".join(lines.summary(document(told())))
    assert "1 of 15 controls satisfied; 1 pending" in text
    assert "● satisfied  LOG-06" in text
    assert "▲ pending  DAT-01" in text
    assert "■ not satisfied (missing)  SEC-04" in text
    assert "next: ringfence scope FILE --sign" in text
    assert "Anchored outside until never: a rebuild is not excluded" in text
    assert "Obligations binding: 0" in text
    assert "DEMO" not in text


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
