from ringfence.artifacts.checks.model import MAX_KEPT, Check, Finding, Findings, Outcome, not_run


def test_findings_are_all_counted_and_the_first_kept():
    found = Findings()
    for number in range(MAX_KEPT + 5):
        found.add(Finding("k", "t", "f", number))
    result = found.result(Check.DRIFT, "too many")
    assert (result.total, len(result.findings)) == (MAX_KEPT + 5, MAX_KEPT)
    assert result.outcome is Outcome.FAILED
    assert found.result(Check.DRIFT, "").outcome is Outcome.PASSED
    assert result.to_json()["findings"][3] == {"kind": "k", "text": "t", "file": "f", "row": 3, "column": ""}


def test_what_did_not_run_is_no_pass():
    assert not_run(Check.DRIFT, "why").outcome is not Outcome.PASSED
