import pytest

from ringfence.obligations.threats import lines, sheet
from ringfence.obligations.threats.board import rows
from ringfence.obligations.threats.register import load
from ringfence.testing.assurance import telling


@pytest.mark.parametrize("demo", [False, True])
def test_every_threat_has_a_line_with_shape_controls_and_what_is_held(demo):
    lab = telling(demo=demo)
    board = lab.board(lab.log.tenant)
    told = list(lines.board(sheet.document(load(), rows(load(), board, lab.held, lab.measured), board)))
    assert ("DEMO: made-up data" in told) is demo
    first = next(one for one in told if " T01 " in one)
    assert first.startswith("■ T01  Training-data poisoning: 0 of")
    assert "(DAT-01 DAT-02 DAT-04 TST-03)" in first
    assert "       touches here: dataset chest-scans-2026, dataset labels" in told
    assert "       direct-override: ASR ≤ 0.76 % (95 %, n=500; 500 of 500 valid, gate) (entry 12)" in told
    assert any("and 5 more" in one or "more" in one for one in told)
