from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.checks import junit, policy, report
from ringfence.artifacts.checks.model import Check, Finding, Outcome, Result


def made(*results, rules=None, subject="data"):
    found = report.ordered(
        {check: Result(check, Outcome.PASSED) for check in Check} | {one.check: one for one in results}
    )
    return report.Report(subject, "sha256:0", policy.parse({"checks": rules or {}}), "1.0", 3, 1, found)


def parsed(made_report):
    suites = ET.fromstring(junit.printed(made_report))  # noqa: S314 - our own bytes
    (suite,) = suites
    cases = {case.get("name"): case for case in suite}
    for element in (suites, suite):
        assert int(element.get("tests")) == len(cases) == len(Check)
        assert int(element.get("failures")) == sum(case.find("failure") is not None for case in cases.values())
        assert int(element.get("skipped")) == sum(case.find("skipped") is not None for case in cases.values())
    return cases


def test_every_check_is_a_case_that_passes_fails_or_is_skipped():
    failed = Result(Check.SECRETS, Outcome.FAILED, "two <secrets>", (Finding("k", "T & U", "f", 3),), 1)
    missing = Result(Check.DRIFT, Outcome.NOT_RUN, "no baseline")
    warned = Result(Check.OUTLIERS, Outcome.FAILED, "far")
    cases = parsed(made(failed, missing, warned, rules={"outliers": "warn"}))
    assert cases["secrets"].find("failure").get("message") == "failed: two <secrets>"
    assert cases["secrets"].find("failure").text == "k: T & U [f:3]"
    assert cases["drift"].find("skipped").get("message") == "not-run: no baseline"
    assert cases["outliers"].find("skipped") is not None
    assert len(cases["format"]) == 0


@given(st.text(), st.text(), st.text())
def test_any_text_is_well_formed(subject, reason, text):
    failed = Result(Check.SECRETS, Outcome.FAILED, "x" + reason, (Finding("k", text, text, 3),), 1)
    parsed(made(failed, subject=subject))
