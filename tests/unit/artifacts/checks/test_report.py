"""The gate: only passes open it, and a check that could not run is none."""

import json

import pytest

from ringfence.artifacts.checks import policy, report
from ringfence.artifacts.checks.model import Check, Outcome, Result


def made(changes=None, rules=None):
    results = {check: Result(check, Outcome.PASSED) for check in Check} | (changes or {})
    return report.Report("d", "sha256:0", policy.parse({"checks": rules or {}}), "1.0", 3, 1, report.ordered(results))


def one(check, outcome):
    return {check: Result(check, outcome, "why")}


def test_it_is_open_where_everything_passed():
    assert made().passed


@pytest.mark.parametrize("check", Check)
def test_each_check_alone_shuts_it_warns_or_is_off(check):
    failed = one(check, Outcome.FAILED)
    assert not made(failed).passed
    assert made(failed, {check.value: "warn"}).passed
    assert made(failed, {check.value: "warn"}).warned
    assert made(one(check, Outcome.OFF), {check.value: "off"}).passed


@pytest.mark.parametrize("check", Check)
def test_a_check_that_could_not_run_shuts_it_where_the_policy_names_it(check):
    missing = one(check, Outcome.NOT_RUN)
    assert not made(missing, {check.value: "fail"}).passed
    assert made(missing).passed is (check in report.INPUT)
    assert [result.check for result in (*made(missing).warned, *made(missing).failed)] == [check]


def test_with_nothing_that_passed_it_is_shut():
    nothing = {check: Result(check, Outcome.OFF) for check in Check}
    assert not made(nothing, {check.value: "off" for check in Check}).passed


def test_a_check_that_nobody_ran_is_shown():
    found = report.ordered({})
    assert [result.check for result in found] == list(Check)
    assert {result.outcome for result in found} == {Outcome.NOT_RUN}


def test_the_report_is_printed_the_same_every_time():
    first, second = report.printed(made()), report.printed(made())
    assert first == second
    document = json.loads(first)
    assert document["result"] == "pass"
    assert [entry["check"] for entry in document["checks"]] == [check.value for check in Check]
    assert "does not show" in document["note"]
