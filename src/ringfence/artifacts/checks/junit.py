"""A report as JUnit XML, as CI systems read it: a test case per check."""

import re
from xml.sax.saxutils import escape, quoteattr

from ringfence.artifacts.checks.model import Finding, Level, Outcome, Result
from ringfence.artifacts.checks.report import Report

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printed(report: Report) -> bytes:
    """Print a report as JUnit XML: what failed the gate is a failure, what only warns is skipped with the reason."""
    cases = [_case(report, result) for result in report.results]
    failures = sum("<failure" in case for case in cases)
    skipped = sum("<skipped" in case for case in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="{skipped}"'
    name = _attribute(f"ringfence dataset check {report.subject}")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="ringfence" {counts} time="0">',
        f' <testsuite name={name} {counts} time="0">',
        *cases,
        " </testsuite>",
        "</testsuites>",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _case(report: Report, result: Result) -> str:
    head = f'  <testcase classname="ringfence.dataset" name={_attribute(result.check.value)} time="0"'
    if result.outcome is Outcome.PASSED:
        return head + "/>"
    said = _attribute(f"{result.outcome.value}: {result.reason}")
    if result.outcome is Outcome.OFF or report.level(result) is not Level.FAIL:
        return f"{head}><skipped message={said}/></testcase>"
    lines = "\n".join(_line(finding) for finding in result.findings)
    return f"{head}><failure message={said}>{escape(_clean(lines))}</failure></testcase>"


def _line(finding: Finding) -> str:
    where = ":".join(filter(None, [finding.file, str(finding.row or "")]))
    return f"{finding.kind}: {finding.text}" + (f" [{where}]" if where else "")


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    """Replace what no XML document may hold, not even escaped."""
    return _NOT_XML.sub("?", text)
