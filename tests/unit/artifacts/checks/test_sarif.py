"""SARIF as OASIS describes it and as code scanning takes it: the required properties, their types, and no more.

The structure below is what SARIF 2.1.0, section 3, and GitHub's page on SARIF ask of the properties that we write.
"""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.artifacts.checks import policy, report, sarif
from ringfence.artifacts.checks.model import Check, Finding, Level, Outcome, Result


def closed(required, **properties):
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


TEXT = closed(["text"], text={"type": "string", "minLength": 1, "maxLength": 4096})
STRING = {"type": "string", "minLength": 1}
LEVELS = ["none", "note", "warning", "error"]
RULE = closed(
    ["id", "shortDescription", "fullDescription", "help", "name"],
    id={"enum": [check.value for check in Check]},
    name={"type": "string", "pattern": "^[A-Z][A-Za-z]+$"},
    shortDescription=TEXT,
    fullDescription=TEXT,
    help=TEXT,
    defaultConfiguration=closed(["level"], level={"enum": LEVELS}),
    properties=closed(["tags", "precision"], tags={"type": "array", "items": STRING}, precision={"enum": ["medium"]}),
)
PLACE = closed(
    ["physicalLocation"],
    physicalLocation=closed(
        ["artifactLocation", "region"],
        artifactLocation=closed(["uri"], uri={"type": "string", "pattern": r"^[A-Za-z0-9._~/%-]+$"}),
        region=closed(["startLine"], startLine={"type": "integer", "minimum": 1}),
    ),
)
RESULT = closed(
    ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
    ruleId={"enum": [check.value for check in Check]},
    ruleIndex={"type": "integer", "minimum": 0},
    level={"enum": LEVELS},
    message=TEXT,
    locations={"type": "array", "minItems": 1, "maxItems": 1, "items": PLACE},
    partialFingerprints=closed(
        ["primaryLocationLineHash"], primaryLocationLineHash={"type": "string", "pattern": "^[0-9a-f]{64}$"}
    ),
)
RUN = closed(
    ["tool", "results", "automationDetails", "invocations"],
    tool=closed(
        ["driver"],
        driver=closed(
            ["name", "rules", "version", "semanticVersion"],
            name=STRING,
            version=STRING,
            semanticVersion=STRING,
            rules={"type": "array", "items": RULE, "minItems": 11, "maxItems": 11},
        ),
    ),
    automationDetails=closed(["id"], id=STRING),
    columnKind={"const": "unicodeCodePoints"},
    invocations={
        "type": "array",
        "items": closed(
            ["executionSuccessful", "exitCode"], executionSuccessful={"const": True}, exitCode={"enum": [0, 1]}
        ),
    },
    results={"type": "array", "items": RESULT, "maxItems": 25_000},
    properties=closed(["content", "policy"], content=STRING, policy=STRING),
)
LOG = closed(
    ["$schema", "version", "runs"],
    **{"$schema": STRING, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN, "minItems": 1}},
)


def made(*results, rules=None):
    found = report.ordered({result.check: result for result in results})
    return report.Report("data", "sha256:0", policy.parse({"checks": rules or {}}), "1.0", 3, 1, found)


def check(log):
    jsonschema.Draft202012Validator(LOG).validate(log)
    for run in log["runs"]:
        rules = run["tool"]["driver"]["rules"]
        assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    return log["runs"][0]["results"]


FAILED = Result(
    Check.SECRETS,
    Outcome.FAILED,
    "it",
    (Finding("secrets/x", "Found", "a b/ü.csv", 7, "c"), Finding("k", "T", "p.parquet", 7)),
    2,
)


def test_findings_have_rules_places_and_fingerprints():
    log = json.loads(sarif.printed(made(FAILED, Result(Check.FORMAT, Outcome.PASSED))))
    results = [one for one in check(log) if one["ruleId"] == "secrets"]
    places = [one["locations"][0]["physicalLocation"] for one in results]
    assert places[1] == {"artifactLocation": {"uri": "a%20b/%C3%BC.csv"}, "region": {"startLine": 7}}
    assert places[2]["region"] == {"startLine": 1}
    assert "row 7" in results[2]["message"]["text"]
    assert len({one["partialFingerprints"]["primaryLocationLineHash"] for one in results}) == 3
    assert results == [one for one in check(sarif.document(made(FAILED))) if one["ruleId"] == "secrets"]


@pytest.mark.parametrize(("level", "shown"), [("fail", "error"), ("warn", "warning")])
def test_the_level_is_the_one_of_the_policy(level, shown):
    results = check(sarif.document(made(FAILED, rules={"secrets": {"level": level}})))
    assert {one["level"] for one in results if one["ruleId"] == "secrets"} == {shown}
    assert Level(level)


def test_what_did_not_run_is_a_result_too():
    texts = [one["message"]["text"] for one in check(sarif.document(made()))]
    assert sum("did not run" in text for text in texts) == len(Check)


@given(st.text(), st.text(), st.integers(0, 10**9))
def test_any_name_and_text_is_one_valid_log(file, text, row):
    found = Result(Check.FORMAT, Outcome.FAILED, "x" + text[:100], (Finding("k", "Text " + text[:100], file, row),), 1)
    check(json.loads(sarif.printed(made(found))))
