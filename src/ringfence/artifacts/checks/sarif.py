"""A report as SARIF 2.1.0 (OASIS), with what code scanning asks for: rules, locations, fingerprints.

A finding in a binary format has a row and no line, so its location names the file only; the row is in the text.
"""

import hashlib
import json
from typing import Any

from ringfence.artifacts.checks.model import Check, Finding, Level, Outcome, Result
from ringfence.artifacts.checks.report import NOTE, Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_TITLES = {
    Check.SIGNATURE: "Signature or seal verified",
    Check.FORMAT: "Every file and record could be read",
    Check.SCHEMA: "Every record is as the schema says",
    Check.DRIFT: "Columns did not move against the baseline",
    Check.DUPLICATES: "Hardly any record or text is there twice",
    Check.LEAKAGE: "Splits share no record, text or key",
    Check.LABELS: "Hardly any label is contradicted",
    Check.TRIGGERS: "No rare fact is locked to a label",
    Check.OUTLIERS: "Hardly any record lies far outside",
    Check.PERSONAL: "Nothing looks like personal data",
    Check.SECRETS: "Nothing looks like a secret",
}
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
_LINES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".txt", ".text")


def printed(report: Report) -> bytes:
    """Print a report as SARIF."""
    return json.dumps(document(report), indent=1, ensure_ascii=True, allow_nan=False).encode() + b"\n"


def document(report: Report) -> dict[str, Any]:
    """Return a report as a SARIF log with one run."""
    rules = [_rule(check) for check in Check]
    driver = {"name": "ringfence", "version": report.version, "semanticVersion": report.version, "rules": rules}
    results = [
        entry
        for result in report.results
        if result.outcome in {Outcome.FAILED, Outcome.NOT_RUN} or result.findings
        for entry in _results(report, result)
    ]
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "ringfence/dataset-check/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "exitCode": 0 if report.passed else 1}],
        "results": results,
        "properties": {"content": report.content, "policy": str(report.policy.digest)},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _uri(path: str) -> str:
    """Return a path as a relative reference (RFC 3986): every byte that is not plain is written in hexadecimal."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in path.encode("utf-8", "surrogateescape"))


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.value,
        "name": "".join(part.title() for part in check.value.split("-")),
        "shortDescription": {"text": _TITLES[check]},
        "fullDescription": {"text": f"{_TITLES[check]}."},
        "help": {"text": NOTE},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["security", "data"], "precision": "medium"},
    }


def _results(report: Report, result: Result) -> list[dict[str, Any]]:
    failed = result.outcome in {Outcome.FAILED, Outcome.NOT_RUN}
    level = {Level.FAIL: "error", Level.WARN: "warning", Level.OFF: "none"}[report.level(result)] if failed else "note"
    entries = []
    if failed:
        verb = "did not run" if result.outcome is Outcome.NOT_RUN else "failed"
        whole = Finding(f"{result.check}/outcome", f"Check {result.check} {verb}: {result.reason}")
        entries.append(_entry(report, result.check, whole, level))
    return entries + [_entry(report, result.check, finding, level) for finding in result.findings]


def _entry(report: Report, check: Check, finding: Finding, level: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.file or report.subject)}}
    line = finding.row if finding.row and finding.file.lower().endswith(_LINES) else 1
    place["region"] = {"startLine": max(1, line or 1)}
    text = finding.text if line == finding.row or not finding.row else f"{finding.text} (row {finding.row})"
    mark = "\x1f".join((finding.kind, finding.file, str(finding.row), finding.column))
    return {
        "ruleId": check.value,
        "ruleIndex": list(Check).index(check),
        "level": level,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"primaryLocationLineHash": hashlib.sha256(mark.encode("utf-8", "replace")).hexdigest()},
    }
